//! Plans: what is to be made, as values that can be printed, tested and sent to the launcher.
//!
//! A plan is complete: whoever executes it decides nothing. It crosses a socket from daemon to launcher and to the
//! forkserver's helper, so it has a binary form of its own.

use std::fmt;

use protocol::SessionId;
use protocol::codec::{CodecError, Reader, Writer};

use crate::landlock::{Grant, Rights};
use crate::limits::Rlimit;
use crate::mount::Mount;
use crate::network::Rules;

/// A path inside a cell: absolute, without `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CellPath(String);

impl CellPath {
    /// This path; `None` unless it is absolute and plain.
    pub fn new(path: impl Into<String>) -> Option<CellPath> {
        let path = path.into();
        let plain = path.strip_prefix('/').is_some_and(|rest| {
            rest.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
                && !rest.contains('\0')
        });
        plain.then_some(CellPath(path))
    }

    /// A path that is written in the source; panics unless it is absolute and plain.
    pub(crate) fn fixed(path: &str) -> CellPath {
        CellPath::new(path).unwrap_or_else(|| panic!("`{path}` is no path in a cell"))
    }

    /// The root of a cell.
    pub(crate) fn root() -> CellPath {
        CellPath("/".to_owned())
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CellPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A path on the host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPath(pub String);

/// One step in making the template: the root that all cells copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An empty directory.
    Dir {
        /// Where.
        path: CellPath,
        /// Permission bits.
        mode: u32,
    },
    /// A symbolic link.
    Link {
        /// Where.
        path: CellPath,
        /// What it says.
        to: String,
    },
    /// A file with this content.
    File {
        /// Where.
        path: CellPath,
        /// Permission bits.
        mode: u32,
        /// What it says.
        content: Vec<u8>,
    },
    /// A directory or file of the host, with what is mounted below it. No set-uid bits, no devices unless `device`.
    Bind {
        /// Where it is on the host. In root mode the daemon opens it, since the launcher may not.
        source: HostPath,
        /// Where cells see it.
        path: CellPath,
        /// Whether cells may write there.
        writable: bool,
        /// Whether programs may be run from there.
        exec: bool,
        /// Whether it is one device node.
        device: bool,
        /// Whether the target is a directory (else a file).
        directory: bool,
    },
    /// An empty read-only directory over what is there.
    Cover {
        /// Where.
        path: CellPath,
    },
}

/// The root that all cells copy, in the order in which it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The steps.
    pub entries: Vec<Entry>,
}

/// The user and group ids of one cell, in the outer user namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellIds {
    /// Whose processes run the user's code.
    pub user: u32,
    /// Whose process init is; the same as `user` where the host gives only one id.
    pub init: u32,
}

/// What a process takes on when it becomes one of a cell's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confinement {
    /// User id, inside the cell.
    pub uid: u32,
    /// Group id, inside the cell.
    pub gid: u32,
    /// Whether supplementary groups can be dropped (not where the host's user namespace denies it).
    pub drop_groups: bool,
    /// Resource limits.
    pub rlimits: Vec<Rlimit>,
    /// Processors it may run on; empty: all.
    pub processors: Vec<u32>,
    /// What can be reached by path, where the kernel has Landlock, and nothing else; nothing, if the list is empty.
    /// `None` is no such wall, and no plan of a cell can be read so: only a test of what stands behind it asks a forkserver
    /// for a kernel without.
    pub landlock: Option<Vec<Grant>>,
    /// System-call filters, compiled, in the order in which they are installed. Never empty.
    pub filters: Vec<Vec<u8>>,
}

/// A file that exists in one cell only, below `/sys` or over a file of `/proc` or `/etc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellFile {
    /// Where it is seen.
    pub path: CellPath,
    /// What it says.
    pub content: Vec<u8>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellPlan {
    /// Whose cell.
    pub session: SessionId,
    /// What `hostname` says inside.
    pub hostname: String,
    /// Its ids.
    pub ids: CellIds,
    /// Where it sees its workspace.
    pub mount: Mount,
    /// Size of /tmp and of /dev/shm, bytes each; their pages count as the cell's memory.
    pub tmp_bytes: u64,
    /// Files that tell the cell of itself instead of the host.
    pub files: Vec<CellFile>,
    /// Paths of /proc that are covered: files by an empty one, directories too. Missing ones are passed over.
    pub masked: Vec<CellPath>,
    /// Paths of /proc that are read-only. Missing ones are passed over.
    pub read_only: Vec<CellPath>,
    /// The rules of its way out; `None`: there is none.
    pub rules: Option<Rules>,
    /// What every process of the cell's user takes on.
    pub confinement: Confinement,
    /// How long the cell lives without a daemon, ms; 0: it ends with its connection.
    pub linger_ms: u64,
    /// Where no cgroup limits memory: how much init lets the cell have before it kills its largest process, bytes.
    pub soft_memory: Option<u64>,
}

fn path(read: &mut Reader) -> Result<CellPath, CodecError> {
    CellPath::new(read.str()?).ok_or(CodecError::Value("a path"))
}

fn grant(read: &mut Reader) -> Result<Grant, CodecError> {
    let path = match read.str()? {
        "/" => CellPath::root(),
        path => CellPath::new(path).ok_or(CodecError::Value("a path"))?,
    };
    Ok(Grant { path, rights: Rights(read.u64()?) })
}

impl Template {
    /// The template's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.list(self.entries.iter(), |w, entry| match entry {
            Entry::Dir { path, mode } => _ = w.u8(0).str(&path.0).u32(*mode),
            Entry::Link { path, to } => _ = w.u8(1).str(&path.0).str(to),
            Entry::File { path, mode, content } => _ = w.u8(2).str(&path.0).u32(*mode).bytes(content),
            Entry::Bind { source, path, writable, exec, device, directory } => {
                w.u8(3).str(&source.0).str(&path.0);
                w.bool(*writable).bool(*exec).bool(*device).bool(*directory);
            }
            Entry::Cover { path } => _ = w.u8(4).str(&path.0),
        });
        out.finish()
    }

    /// Reads a template.
    pub fn decode(bytes: &[u8]) -> Result<Template, CodecError> {
        let mut read = Reader::new(bytes);
        let entries = read.list(|r| {
            Ok(match r.u8()? {
                0 => Entry::Dir { path: path(r)?, mode: r.u32()? },
                1 => Entry::Link { path: path(r)?, to: r.str()?.to_owned() },
                2 => Entry::File { path: path(r)?, mode: r.u32()?, content: r.bytes()?.to_vec() },
                3 => Entry::Bind {
                    source: HostPath(r.str()?.to_owned()),
                    path: path(r)?,
                    writable: r.bool()?,
                    exec: r.bool()?,
                    device: r.bool()?,
                    directory: r.bool()?,
                },
                4 => Entry::Cover { path: path(r)? },
                _ => return Err(CodecError::Value("an entry")),
            })
        })?;
        read.end()?;
        Ok(Template { entries })
    }
}

impl Confinement {
    /// Appends the confinement to a message.
    pub fn write(&self, out: &mut Writer) {
        out.u32(self.uid).u32(self.gid).bool(self.drop_groups);
        out.list(self.rlimits.iter(), |w, limit| limit.write(w));
        out.list(self.processors.iter(), |w, cpu| _ = w.u32(*cpu));
        out.bool(self.landlock.is_some());
        out.list(self.landlock.as_deref().unwrap_or_default().iter(), |w, grant| {
            _ = w.str(&grant.path.0).u64(grant.rights.0);
        });
        out.list(self.filters.iter(), |w, filter| _ = w.bytes(filter));
    }

    /// Reads a confinement from a message. One without a filter is no confinement.
    pub fn read(read: &mut Reader) -> Result<Confinement, CodecError> {
        let confinement = Confinement {
            uid: read.u32()?,
            gid: read.u32()?,
            drop_groups: read.bool()?,
            rlimits: read.list(Rlimit::read)?,
            processors: read.list(Reader::u32)?,
            landlock: match (read.bool()?, read.list(grant)?) {
                (true, grants) => Some(grants),
                (false, _) => None,
            },
            filters: read.list(|r| r.bytes().map(<[u8]>::to_vec))?,
        };
        if confinement.filters.is_empty() {
            return Err(CodecError::Value("the system-call filters"));
        }
        Ok(confinement)
    }

    /// The confinement's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        self.write(&mut out);
        out.finish()
    }

    /// Reads a confinement that is a whole message.
    pub fn decode(bytes: &[u8]) -> Result<Confinement, CodecError> {
        let mut read = Reader::new(bytes);
        let confinement = Confinement::read(&mut read)?;
        read.end()?;
        Ok(confinement)
    }
}

impl CellPlan {
    /// The plan's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u128(self.session.to_u128()).str(&self.hostname).u32(self.ids.user).u32(self.ids.init);
        out.str(self.mount.as_str()).u64(self.tmp_bytes);
        out.list(self.files.iter(), |w, file| _ = w.str(&file.path.0).bytes(&file.content));
        out.list(self.masked.iter(), |w, path| _ = w.str(&path.0));
        out.list(self.read_only.iter(), |w, path| _ = w.str(&path.0));
        out.list(self.rules.iter(), |w, rules| rules.write(w));
        self.confinement.write(&mut out);
        out.u64(self.linger_ms).bool(self.soft_memory.is_some()).u64(self.soft_memory.unwrap_or(0));
        out.finish()
    }

    /// Reads a plan.
    pub fn decode(bytes: &[u8]) -> Result<CellPlan, CodecError> {
        let mut read = Reader::new(bytes);
        let plan = CellPlan {
            session: SessionId::from_u128(read.u128()?),
            hostname: read.str()?.to_owned(),
            ids: CellIds { user: read.u32()?, init: read.u32()? },
            mount: Mount::new(read.str()?).ok_or(CodecError::Value("the workspace's place"))?,
            tmp_bytes: read.u64()?,
            files: read.list(|r| -> Result<_, CodecError> {
                Ok(CellFile { path: path(r)?, content: r.bytes()?.to_vec() })
            })?,
            masked: read.list(path)?,
            read_only: read.list(path)?,
            rules: read.list(Rules::read)?.pop(),
            confinement: Confinement::read(&mut read)?,
            linger_ms: read.u64()?,
            soft_memory: match (read.bool()?, read.u64()?) {
                (true, bytes) => Some(bytes),
                (false, _) => None,
            },
        };
        read.end()?;
        if plan.confinement.landlock.is_none() {
            return Err(CodecError::Value("the rules about paths"));
        }
        Ok(plan)
    }
}
