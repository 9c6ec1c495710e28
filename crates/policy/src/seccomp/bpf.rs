//! From the table to the program that the kernel runs.
//!
//! The program is a binary search over ranges of call numbers. It loads nothing but architecture and number before it
//! reaches a call that has clauses: a call whose verdict depends on its number alone can then be answered by the kernel
//! (since 5.11) from a bitmap, without running the program at all.

use super::rule::{Clause, Entry, Errno, Verdict};

/// One instruction of classic BPF, laid out as the kernel's `struct sock_filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// The operation.
    pub code: u16,
    /// How many instructions are skipped where a comparison holds.
    pub jt: u8,
    /// How many are skipped where it does not.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

/// A filter program, ready to be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program(Vec<Instruction>);

impl Program {
    /// Its instructions, in order.
    pub fn instructions(&self) -> &[Instruction] {
        &self.0
    }

    /// The array of `struct sock_filter` that seccomp(2) takes: 8 bytes an instruction, in the machine's byte order.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 8);
        for instruction in &self.0 {
            bytes.extend_from_slice(&instruction.code.to_ne_bytes());
            bytes.extend_from_slice(&[instruction.jt, instruction.jf]);
            bytes.extend_from_slice(&instruction.k.to_ne_bytes());
        }
        bytes
    }
}

// linux/bpf_common.h: class | size or operation | mode or source.
pub(super) const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
pub(super) const AND: u16 = 0x54; // BPF_ALU | BPF_AND | BPF_K
pub(super) const JUMP: u16 = 0x05; // BPF_JMP | BPF_JA
pub(super) const IF_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
pub(super) const IF_AT_LEAST: u16 = 0x35; // BPF_JMP | BPF_JGE | BPF_K
pub(super) const RETURN: u16 = 0x06; // BPF_RET | BPF_K

// linux/seccomp.h: what a program returns.
pub(super) const RET_ALLOW: u32 = 0x7fff_0000;
pub(super) const RET_ERRNO: u32 = 0x0005_0000;
pub(super) const RET_KILL_PROCESS: u32 = 0x8000_0000;

// linux/seccomp.h: where `struct seccomp_data` keeps things.
pub(super) const OFFSET_NUMBER: u32 = 0;
pub(super) const OFFSET_ARCHITECTURE: u32 = 4;
pub(super) const OFFSET_ARGUMENTS: u32 = 16;

// linux/audit.h: EM_… | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE.
#[cfg(any(target_arch = "x86_64", test))]
pub(super) const X86_64: u32 = 0xc000_003e;
#[cfg(any(target_arch = "aarch64", test))]
pub(super) const AARCH64: u32 = 0xc000_00b7;
#[cfg(target_arch = "x86_64")]
pub(super) const ARCHITECTURE: u32 = X86_64;
#[cfg(target_arch = "aarch64")]
pub(super) const ARCHITECTURE: u32 = AARCH64;

/// The program for a table of this architecture. Numbers between the table's that it does not list get `EPERM`, all above them `ENOSYS`.
pub(super) fn compile<'a>(table: impl Iterator<Item = &'a Entry>, architecture: u32) -> Program {
    let mut code = vec![
        plain(LOAD, OFFSET_ARCHITECTURE),
        Instruction { code: IF_EQUAL, jt: 1, jf: 0, k: architecture },
        plain(RETURN, RET_KILL_PROCESS),
        plain(LOAD, OFFSET_NUMBER),
    ];
    code.extend(search(&ranges(table)));
    Program(code)
}

/// From this number on, up to the next range's.
struct Range<'a> {
    from: u32,
    clauses: &'a [Clause],
    otherwise: Verdict,
}

fn ranges<'a>(table: impl Iterator<Item = &'a Entry>) -> Vec<Range<'a>> {
    let mut entries: Vec<&Entry> = table.collect();
    entries.sort_by_key(|entry| entry.number);
    let mut ranges: Vec<Range> = Vec::new();
    let mut push = |from, clauses: &'a [Clause], otherwise| match ranges.last() {
        Some(last) if clauses.is_empty() && last.clauses.is_empty() && last.otherwise == otherwise => {}
        _ => ranges.push(Range { from, clauses, otherwise }),
    };
    let mut next = 0;
    for entry in entries {
        if entry.number > next {
            push(next, &[], Verdict::Refuse(Errno::NotPermitted));
        }
        push(entry.number, entry.clauses, entry.otherwise);
        next = entry.number + 1;
    }
    push(next, &[], Verdict::Refuse(Errno::NotImplemented));
    ranges
}

fn search(ranges: &[Range]) -> Vec<Instruction> {
    if let [range] = ranges {
        return decide(range.clauses, range.otherwise);
    }
    let (below, above) = ranges.split_at(ranges.len() / 2);
    let (left, right) = (search(below), search(above));
    let k = above[0].from;
    let mut code = match u8::try_from(left.len()) {
        Ok(jt) => vec![Instruction { code: IF_AT_LEAST, jt, jf: 0, k }],
        // Too far for a comparison, which has a byte for it; a plain jump has four.
        Err(_) => {
            vec![Instruction { code: IF_AT_LEAST, jt: 0, jf: 1, k }, plain(JUMP, left.len() as u32)]
        }
    };
    code.extend(left);
    code.extend(right);
    code
}

fn decide(clauses: &[Clause], otherwise: Verdict) -> Vec<Instruction> {
    let mut code = Vec::new();
    for clause in clauses {
        // Built from its end, so that each check knows how far it is to the next clause.
        let mut rest = vec![give(clause.verdict)];
        for check in clause.checks.iter().rev() {
            let mut head = vec![plain(LOAD, OFFSET_ARGUMENTS + 8 * u32::from(check.argument))];
            if check.mask != u32::MAX {
                head.push(plain(AND, check.mask));
            }
            for (place, &k) in check.values.iter().enumerate() {
                let left = check.values.len() - 1 - place;
                let jf = if left == 0 { distance(rest.len()) } else { 0 };
                head.push(Instruction { code: IF_EQUAL, jt: distance(left), jf, k });
            }
            head.extend(rest);
            rest = head;
        }
        code.extend(rest);
    }
    code.push(give(otherwise));
    code
}

fn give(verdict: Verdict) -> Instruction {
    match verdict {
        Verdict::Allow => plain(RETURN, RET_ALLOW),
        Verdict::Refuse(errno) => plain(RETURN, RET_ERRNO | u32::from(errno.number())),
    }
}

fn plain(code: u16, k: u32) -> Instruction {
    Instruction { code, jt: 0, jf: 0, k }
}

fn distance(instructions: usize) -> u8 {
    u8::try_from(instructions).expect("a clause of the table is no longer than 255 instructions")
}
