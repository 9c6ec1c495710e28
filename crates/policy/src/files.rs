//! Which file systems hold files, and which only look as if they did.
//!
//! A regular file of `/proc` is a door: whoever opens `/proc/self/mem` opens its own memory, and another process that
//! it is handed to reads the first one's. So file operations of a session, which init begins and the daemon ends, are
//! refused there, whatever the path was that led to it.
//!
//! A list of what is refused, and not of what is allowed: an environment and a workspace lie on whatever file system the
//! host has, and what a cell can mount is nothing.

macro_rules! refused {
    ($($magic:literal $name:literal: $reason:literal,)*) => {
        /// The number that `statfs` gives (`linux/magic.h`), the name, and why.
        pub const REFUSED: &[(u32, &str, &str)] = &[$(($magic, $name, $reason),)*];
    };
}

refused! {
    0x0000_9fa0 "proc": "memory, environments and descriptors of processes; of whoever opens it, under `self`",
    0x6265_6572 "sysfs": "the host's devices",
    0x0027_e0eb "cgroup": "limits",
    0x6367_7270 "cgroup2": "limits",
    0x0000_1cd1 "devpts": "terminals, which are waited for",
    0x0000_0187 "autofs": "looking at it may start a mount on the host",
    0x6462_6720 "debugfs": "the kernel's insides",
    0x7472_6163 "tracefs": "the kernel's insides",
    0x7363_6673 "securityfs": "the kernel's security modules",
    0xf97c_ff8c "selinuxfs": "the kernel's security modules",
    0x4341_5d53 "smackfs": "the kernel's security modules",
    0x5a3c_69f0 "apparmorfs": "the kernel's security modules",
    0x6265_6570 "configfs": "the kernel's configuration",
    0x6165_676c "pstore": "what the kernel said last",
    0xde5e_81e4 "efivarfs": "firmware variables",
    0xcafe_4a11 "bpf": "programs in the kernel",
    0x4249_4e4d "binfmt_misc": "how the host runs programs",
    0x0765_5821 "resctrl": "limits",
    0x1980_0202 "mqueue": "queues, which are waited for",
    0x9584_58f6 "hugetlbfs": "cannot be read or written as files are",
    0x6e73_6673 "nsfs": "namespaces",
    0x5049_4446 "pidfs": "processes",
    0x5049_5045 "pipefs": "pipes, which are waited for",
    0x534f_434b "sockfs": "sockets, which are waited for",
    0x0904_1934 "anon_inode": "what the kernel has no other name for",
    0x444d_4142 "dmabuf": "memory of devices",
    0x454d_444d "devmem": "memory of devices",
    0x5345_434d "secretmem": "memory that nobody else can read",
    0x6c6f_6f70 "binder": "processes of the host",
    0x6264_6576 "bdev": "devices",
    0x0000_9fa2 "usbdevfs": "the host's devices",
}

/// Whether a regular file or directory on a file system of this kind is no more than that.
pub fn holds_files(file_system: u32) -> bool {
    REFUSED.iter().all(|(magic, ..)| *magic != file_system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hosts_keep_files_on_holds_files() {
        // ext4, tmpfs, overlay, xfs, btrfs, 9p, zfs, virtiofs and FUSE, NFS.
        for magic in [
            0xef53,
            0x0102_1994,
            0x794c_7630,
            0x5846_5342,
            0x9123_683e,
            0x0102_1997,
            0x2fc1_2fc1,
            0x6573_5546,
            0x6969,
        ] {
            assert!(holds_files(magic), "{magic:#x}");
        }
        assert!(!holds_files(0x9fa0) && !holds_files(0x6265_6572));
    }

    #[test]
    fn each_is_there_once_with_a_reason() {
        let mut magics: Vec<u32> = REFUSED.iter().map(|(magic, ..)| *magic).collect();
        magics.sort_unstable();
        magics.dedup();
        assert_eq!(magics.len(), REFUSED.len());
        assert!(REFUSED.iter().all(|(_, name, reason)| !name.is_empty() && !reason.is_empty()));
    }
}
