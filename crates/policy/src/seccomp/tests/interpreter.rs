//! What the kernel does with a program, for tests.

use crate::seccomp::bpf::{
    AND, ARCHITECTURE, IF_AT_LEAST, IF_EQUAL, Instruction, JUMP, LOAD, OFFSET_ARCHITECTURE, OFFSET_ARGUMENTS,
    OFFSET_NUMBER, RET_ALLOW, RETURN,
};

/// What a call looks like to a program: `struct seccomp_data`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) architecture: u32,
    pub(super) number: u32,
    pub(super) arguments: [u64; 6],
}

impl Call {
    pub(super) fn new(number: u32, arguments: [u64; 6]) -> Call {
        Call { architecture: ARCHITECTURE, number, arguments }
    }

    fn word(&self, offset: u32) -> u32 {
        match offset {
            OFFSET_NUMBER => self.number,
            OFFSET_ARCHITECTURE => self.architecture,
            _ => {
                assert!(offset >= OFFSET_ARGUMENTS && offset.is_multiple_of(4) && offset < 64, "{offset}");
                let place = offset - OFFSET_ARGUMENTS;
                (self.arguments[place as usize / 8] >> (8 * (place % 8))) as u32
            }
        }
    }
}

/// Runs a program as the kernel would, and gives what it returns and how many instructions that took.
pub(super) fn run(program: &[Instruction], call: &Call) -> (u32, usize) {
    step(program, |offset| Some(call.word(offset))).expect("every word is known")
}

/// Whether the kernel would answer this call from its bitmap, i.e. allows it without having looked at an argument.
/// The same rules as `seccomp_is_const_allow` in kernel/seccomp.c.
pub(super) fn allowed_by_number(program: &[Instruction], number: u32) -> bool {
    let known = |offset| match offset {
        OFFSET_NUMBER => Some(number),
        OFFSET_ARCHITECTURE => Some(ARCHITECTURE),
        _ => None,
    };
    step(program, known).is_some_and(|(returned, _)| returned == RET_ALLOW)
}

fn step(program: &[Instruction], word: impl Fn(u32) -> Option<u32>) -> Option<(u32, usize)> {
    let (mut place, mut accumulator, mut steps) = (0, 0, 0);
    loop {
        let Instruction { code, jt, jf, k } = program[place];
        place += 1;
        steps += 1;
        match code {
            LOAD => accumulator = word(k)?,
            AND => accumulator &= k,
            JUMP => place += k as usize,
            IF_EQUAL => place += usize::from(if accumulator == k { jt } else { jf }),
            IF_AT_LEAST => place += usize::from(if accumulator >= k { jt } else { jf }),
            RETURN => return Some((k, steps)),
            _ => panic!("instruction {code:#x} is none of ours"),
        }
    }
}
