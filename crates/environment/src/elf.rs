//! Reads a few facts from an ELF file and gives it another library search path.
//!
//! An interpreter built with a shared libpython finds it by an absolute path of the host, or by the host's loader cache; a cell
//! has neither. Setting `LD_LIBRARY_PATH` in cells was rejected: it would reach every program of the host that runs there too.
//! So the copy gets a search path relative to itself, as `patchelf` would give it: the dynamic section and its strings move
//! into a new segment at the end of the file, where there is room for one more of each. Only 64-bit little-endian files, which
//! is what the supported architectures have.

use std::ops::Range;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const PT_NOTE: u32 = 4;

const DT_NULL: u64 = 0;
const DT_STRTAB: u64 = 5;
const DT_STRSZ: u64 = 10;
const DT_SONAME: u64 = 14;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;

const READ: u32 = 4;
const WRITE: u32 = 2;

const HEADER: usize = 64;
const DYNAMIC_ENTRY: u64 = 16;
const PROGRAM_HEADER: usize = 56;
/// The largest page that a kernel for these architectures uses.
const PAGE: u64 = 0x1_0000;

/// A program header, as it stands in the file.
#[derive(Debug, Clone, Copy)]
struct Segment {
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
    file_size: u64,
    memory_size: u64,
    align: u64,
}

/// An ELF file in memory.
pub(crate) struct Elf {
    bytes: Vec<u8>,
    segments: Vec<Segment>,
    table: usize,
}

impl Elf {
    /// `None` where this is not a file that we understand.
    pub(crate) fn parse(bytes: Vec<u8>) -> Option<Self> {
        if bytes.len() < HEADER || bytes[..6] != *b"\x7fELF\x02\x01" {
            return None;
        }
        let table = usize::try_from(get(&bytes, 32, 8)?).ok()?;
        if get(&bytes, 54, 2)? != PROGRAM_HEADER as u64 {
            return None;
        }
        let count = usize::try_from(get(&bytes, 56, 2)?).ok()?;
        let segments = (0..count)
            .map(|index| {
                let at = table.checked_add(index * PROGRAM_HEADER)?;
                Some(Segment {
                    kind: get(&bytes, at, 4)? as u32,
                    flags: get(&bytes, at + 4, 4)? as u32,
                    offset: get(&bytes, at + 8, 8)?,
                    address: get(&bytes, at + 16, 8)?,
                    file_size: get(&bytes, at + 32, 8)?,
                    memory_size: get(&bytes, at + 40, 8)?,
                    align: get(&bytes, at + 48, 8)?,
                })
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self { bytes, segments, table })
    }

    /// The dynamic loader that the kernel starts for a program.
    pub(crate) fn interpreter(&self) -> Option<String> {
        let segment = self.segments.iter().find(|segment| segment.kind == PT_INTERP)?;
        self.text(usize::try_from(segment.offset).ok()?)
    }

    /// The name that a library is asked for by.
    pub(crate) fn soname(&self) -> Option<String> {
        self.dynamic_text(DT_SONAME)
    }

    /// Where libraries are looked for first.
    pub(crate) fn search_path(&self) -> Option<String> {
        self.dynamic_text(DT_RUNPATH).or_else(|| self.dynamic_text(DT_RPATH))
    }

    /// The same file, looking for its libraries along `path` first, and for the libraries of its libraries too. `None` where the
    /// file leaves no room for that.
    pub(crate) fn with_search_path(mut self, path: &str) -> Option<Vec<u8>> {
        let strings = self.strings()?;
        let mut text = self.bytes.get(strings)?.to_vec();
        let path_at = text.len() as u64;
        text.extend_from_slice(path.as_bytes());
        text.push(0);

        let spare = self.segments.iter().rposition(|segment| segment.kind == PT_NOTE)?;
        let last = self.segments.iter().rposition(|segment| segment.kind == PT_LOAD)?;
        let loaded = self.segments.iter().filter(|each| each.kind == PT_LOAD);
        let end = loaded.map(|each| each.address.saturating_add(each.memory_size)).max()?;
        let address = end.checked_next_multiple_of(PAGE)?;
        let offset = (self.bytes.len() as u64).next_multiple_of(PAGE);

        // The new segment: the dynamic section, then its strings.
        let mut entries: Vec<(u64, u64)> = self.dynamic_entries()?;
        entries.retain(|&(tag, _)| tag != DT_RPATH && tag != DT_RUNPATH);
        entries.extend([(DT_RPATH, path_at), (DT_NULL, 0)]);
        let dynamic = entries.len() as u64 * DYNAMIC_ENTRY;
        for (tag, value) in &mut entries {
            match *tag {
                DT_STRTAB => *value = address.checked_add(dynamic)?,
                DT_STRSZ => *value = text.len() as u64,
                _ => {}
            }
        }
        self.bytes.resize(usize::try_from(offset).ok()?, 0);
        self.bytes.extend(entries.iter().flat_map(|&(tag, value)| [tag, value]).flat_map(u64::to_le_bytes));
        self.bytes.extend_from_slice(&text);

        let length = dynamic + text.len() as u64;
        let new = |kind, length, align| Segment {
            kind,
            flags: READ | WRITE,
            offset,
            address,
            file_size: length,
            memory_size: length,
            align,
        };
        for segment in self.segments.iter_mut().filter(|segment| segment.kind == PT_DYNAMIC) {
            *segment = new(PT_DYNAMIC, dynamic, 8);
        }
        // Loaded segments must stand in the order of their addresses; the notes are read by debuggers alone.
        self.segments.remove(spare);
        let place = if spare < last { last } else { last + 1 };
        self.segments.insert(place, new(PT_LOAD, length, PAGE));
        self.write_segments();
        Some(self.bytes)
    }

    fn write_segments(&mut self) {
        for (index, segment) in self.segments.iter().enumerate() {
            let at = self.table + index * PROGRAM_HEADER;
            put(&mut self.bytes, at, u64::from(segment.kind) | u64::from(segment.flags) << 32);
            let fields = [
                segment.offset,
                segment.address,
                segment.address,
                segment.file_size,
                segment.memory_size,
                segment.align,
            ];
            for (field, value) in fields.into_iter().enumerate() {
                put(&mut self.bytes, at + 8 + field * 8, value);
            }
        }
    }

    /// The entries of the dynamic section, without the mark that ends them.
    fn dynamic_entries(&self) -> Option<Vec<(u64, u64)>> {
        let segment = self.segments.iter().find(|segment| segment.kind == PT_DYNAMIC)?;
        let start = usize::try_from(segment.offset).ok()?;
        let end = start.checked_add(usize::try_from(segment.file_size).ok()?)?;
        let section = self.bytes.get(start..end)?;
        let entries = section
            .chunks_exact(DYNAMIC_ENTRY as usize)
            .map(|entry| Some((get(entry, 0, 8)?, get(entry, 8, 8)?)));
        entries.take_while(|entry| entry.is_none_or(|(tag, _)| tag != DT_NULL)).collect()
    }

    fn dynamic(&self, wanted: u64) -> Option<u64> {
        self.dynamic_entries()?.into_iter().find(|&(tag, _)| tag == wanted).map(|(_, value)| value)
    }

    fn dynamic_text(&self, tag: u64) -> Option<String> {
        let at = usize::try_from(self.dynamic(tag)?).ok()?;
        self.text(self.strings()?.start.checked_add(at)?)
    }

    /// Where the dynamic section's strings stand in the file.
    fn strings(&self) -> Option<Range<usize>> {
        let (address, size) = (self.dynamic(DT_STRTAB)?, self.dynamic(DT_STRSZ)?);
        let segment = self.segments.iter().find(|each| {
            each.kind == PT_LOAD
                && (each.address..each.address.saturating_add(each.file_size)).contains(&address)
        })?;
        let start = usize::try_from((address - segment.address).checked_add(segment.offset)?).ok()?;
        Some(start..start.checked_add(usize::try_from(size).ok()?)?)
    }

    fn text(&self, at: usize) -> Option<String> {
        let rest = self.bytes.get(at..)?;
        let end = rest.iter().position(|&byte| byte == 0)?;
        String::from_utf8(rest[..end].to_vec()).ok()
    }
}

fn get(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(length)?)?;
    Some(field.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
}

/// Only called where `get` has read before, or behind a bound that was checked.
fn put(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    fn own() -> Elf {
        Elf::parse(std::fs::read("/proc/self/exe").unwrap()).unwrap()
    }

    #[test]
    fn a_program_with_another_search_path_still_runs() {
        let path = "$ORIGIN/../a-directory-that-is-not-there:/nor/this";
        let changed = own().with_search_path(path).unwrap();
        assert_eq!(Elf::parse(changed.clone()).unwrap().search_path().as_deref(), Some(path));
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("program");
        std::fs::write(&program, changed).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let output = Command::new(&program).arg("--list").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(
            String::from_utf8_lossy(&output.stdout).contains("a_program_with_another_search_path_still_runs")
        );
    }

    #[test]
    fn a_path_can_be_changed_twice() {
        let once = own().with_search_path("/first").unwrap();
        let again = Elf::parse(once).unwrap();
        // The spare header is used up by the first change where there was only one.
        if let Some(twice) = again.with_search_path("/second") {
            assert_eq!(Elf::parse(twice).unwrap().search_path().as_deref(), Some("/second"));
        }
    }

    #[test]
    fn a_program_names_its_loader() {
        assert!(own().interpreter().unwrap().contains("/ld-"));
    }

    proptest! {
        #[test]
        fn rubbish_is_refused_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0_usize..400) {
            let _ = Elf::parse(bytes.clone());
            let mut torn = vec![0; 4096];
            std::fs::File::open("/proc/self/exe").unwrap().read_exact(&mut torn).unwrap();
            for (index, byte) in bytes.drain(..).enumerate() {
                torn[(at + index * 7) % 600] = byte;
            }
            torn[..6].copy_from_slice(b"\x7fELF\x02\x01");
            if let Some(elf) = Elf::parse(torn) {
                let _ = (elf.soname(), elf.search_path(), elf.interpreter());
                let _ = elf.with_search_path("/x");
            }
        }
    }
}
