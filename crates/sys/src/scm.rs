//! Descriptors and credentials over Unix sockets.
//!
//! On a stream, descriptors arrive no later than the first byte of the message that they were sent with: bytes of an
//! earlier message may come before them in the same read, bytes of a later one never. So whoever reads a stream of
//! messages keeps arrived descriptors in a queue and gives them, in order, to the messages that name them.
//!
//! Not with rustix: it reads a sender's process id as one that is never 0, and it is 0 for a sender in another PID
//! namespace.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// The most descriptors that one message can carry (the kernel's `SCM_MAX_FD`).
pub const MAX_FDS: usize = 253;

/// Who sent a message or opened a connection, as the kernel vouches for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credentials {
    /// The process in the reader's PID namespace; 0 if it is in none that the reader can see.
    pub pid: u32,
    /// The user in the reader's user namespace.
    pub uid: u32,
    /// The group in the reader's user namespace.
    pub gid: u32,
}

impl From<libc::ucred> for Credentials {
    fn from(ucred: libc::ucred) -> Credentials {
        Credentials { pid: u32::try_from(ucred.pid).unwrap_or(0), uid: ucred.uid, gid: ucred.gid }
    }
}

/// A pair of connected stream sockets, closed on exec. Both block.
pub fn stream_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    Ok(socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?)
}

/// Whether messages read from this socket carry their sender's credentials.
pub fn pass_credentials(socket: impl AsFd, on: bool) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_socket_passcred(socket, on)?)
}

/// Who connected to, or made, the other end of this socket.
pub fn peer(socket: impl AsFd) -> io::Result<Credentials> {
    let mut ucred = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut len = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the descriptor is open while it is borrowed; the kernel writes at most `len` bytes, which is the size of
    // `ucred`, and any bytes are valid for its integers.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut ucred).cast(),
            &raw mut len,
        )
    };
    if result == 0 { Ok(ucred.into()) } else { Err(io::Error::last_os_error()) }
}

/// Room for the control data of one message; u64 because a control header must be aligned as one.
type Control = [MaybeUninit<u64>; CONTROL_LEN / 8];

// SAFETY: CMSG_SPACE is arithmetic on its argument.
const CONTROL_LEN: usize = unsafe {
    libc::CMSG_SPACE((MAX_FDS * size_of::<libc::c_int>()) as u32) as usize
        + libc::CMSG_SPACE(size_of::<libc::ucred>() as u32) as usize
};

const _: () = assert!(CONTROL_LEN.is_multiple_of(8), "the control buffer is counted in whole u64");

fn header(slices: *mut libc::iovec, count: usize, control: &mut Control, control_len: usize) -> libc::msghdr {
    // SAFETY: a msghdr of zeros is valid: null pointers with lengths of 0.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = slices;
    message.msg_iovlen = count as _;
    if control_len > 0 {
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = control_len as _;
    }
    message
}

/// Sends bytes and, with the first of them, descriptors. Gives how many bytes were taken.
///
/// On a stream that may be fewer than all; the descriptors are gone with the first byte, so the rest is sent without.
/// A broken connection is an error, not a signal.
pub fn send_with_fds(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd]) -> io::Result<usize> {
    send_vectored_with_fds(socket, &[IoSlice::new(bytes)], fds)
}

/// As [`send_with_fds`], from several buffers; at most 1024.
pub fn send_vectored_with_fds(
    socket: impl AsFd,
    slices: &[IoSlice],
    fds: &[BorrowedFd],
) -> io::Result<usize> {
    if fds.len() > MAX_FDS || (!fds.is_empty() && slices.iter().all(|slice| slice.is_empty())) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut control: Control = [MaybeUninit::uninit(); CONTROL_LEN / 8];
    let fds_len = size_of_val(fds) as u32;
    // SAFETY: CMSG_SPACE is arithmetic on its argument.
    let control_len = if fds.is_empty() { 0 } else { unsafe { libc::CMSG_SPACE(fds_len) as usize } };
    // The kernel only reads through the pointer, and an IoSlice is an iovec by its documentation.
    let message = header(slices.as_ptr().cast_mut().cast(), slices.len(), &mut control, control_len);
    if !fds.is_empty() {
        // SAFETY: `control` is aligned for a control header and, by the check of MAX_FDS, has room for CMSG_SPACE of
        // the descriptors, so CMSG_FIRSTHDR is not null and header and data lie within. A BorrowedFd is a c_int by
        // its documentation.
        unsafe {
            let first = libc::CMSG_FIRSTHDR(&raw const message);
            (*first).cmsg_level = libc::SOL_SOCKET;
            (*first).cmsg_type = libc::SCM_RIGHTS;
            (*first).cmsg_len = libc::CMSG_LEN(fds_len) as _;
            std::ptr::copy_nonoverlapping(
                fds.as_ptr().cast::<u8>(),
                libc::CMSG_DATA(first),
                fds_len as usize,
            );
        }
    }
    loop {
        // SAFETY: the descriptor is open while it is borrowed; the message points to `slices` and `control`, which
        // live until the call returns.
        let sent =
            unsafe { libc::sendmsg(socket.as_fd().as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) };
        match usize::try_from(sent) {
            Ok(sent) => return Ok(sent),
            Err(_) => interrupted()?,
        }
    }
}

/// Passes over an interruption by a signal; any other error is given back.
fn interrupted() -> io::Result<()> {
    let error = io::Error::last_os_error();
    if error.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(error) }
}

/// Reads bytes, and the descriptors (closed on exec) and credentials that came with them. 0 bytes: the end.
///
/// Credentials come only after [`pass_credentials`]. If descriptors were lost (this process may not open more), or a
/// message of a SEQPACKET or DGRAM socket was longer than `buffer`, that is an error of kind `InvalidData`, and
/// everything that did arrive is closed: the connection has no use any more.
pub fn recv_with_fds(
    socket: impl AsFd,
    buffer: &mut [u8],
) -> io::Result<(usize, Vec<OwnedFd>, Option<Credentials>)> {
    let mut control: Control = [MaybeUninit::uninit(); CONTROL_LEN / 8];
    let mut slice = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut message = header(&raw mut slice, 1, &mut control, CONTROL_LEN);
    let read = loop {
        // SAFETY: the descriptor is open while it is borrowed; the message points to `buffer` and `control` with their
        // lengths, and both live until the call returns.
        let read =
            unsafe { libc::recvmsg(socket.as_fd().as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) };
        match usize::try_from(read) {
            Ok(read) => break read,
            Err(_) => interrupted()?,
        }
    };
    let mut fds = Vec::new();
    let mut credentials = None;
    // SAFETY: the kernel has filled `control` up to msg_controllen with well-formed control messages, so each header
    // that CMSG_FIRSTHDR and CMSG_NXTHDR give lies within, with its data. Descriptors in them were made for this
    // process by this call, and nobody else knows them.
    unsafe {
        let mut next = libc::CMSG_FIRSTHDR(&raw const message);
        while let Some(head) = next.as_ref() {
            let data = libc::CMSG_DATA(next);
            let len = head.cmsg_len.saturating_sub(libc::CMSG_LEN(0) as _);
            match (head.cmsg_level, head.cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_RIGHTS) => {
                    let (numbers, _) = std::slice::from_raw_parts(data, len).as_chunks::<4>();
                    let numbers = numbers.iter().copied().map(libc::c_int::from_ne_bytes);
                    fds.extend(numbers.map(|fd| OwnedFd::from_raw_fd(fd)));
                }
                (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) if len >= size_of::<libc::ucred>() => {
                    credentials = Some(data.cast::<libc::ucred>().read_unaligned().into());
                }
                _ => {}
            }
            next = libc::CMSG_NXTHDR(&raw const message, next);
        }
    }
    if message.msg_flags & (libc::MSG_CTRUNC | libc::MSG_TRUNC) != 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message or its descriptors were cut"));
    }
    Ok((read, fds, credentials))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    fn pair(kind: SocketType) -> (OwnedFd, OwnedFd) {
        socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).unwrap()
    }

    fn is_cloexec(fd: &OwnedFd) -> bool {
        rustix::io::fcntl_getfd(fd).unwrap().contains(rustix::io::FdFlags::CLOEXEC)
    }

    #[test]
    fn descriptors_and_credentials_arrive_on_both_kinds_of_socket() {
        for kind in [SocketType::STREAM, SocketType::SEQPACKET] {
            let (here, there) = pair(kind);
            pass_credentials(&there, true).unwrap();
            let (read, write) = rustix::pipe::pipe().unwrap();
            assert_eq!(send_with_fds(&here, b"two", &[read.as_fd(), write.as_fd()]).unwrap(), 3);
            drop((read, write));
            let mut buffer = [0; 16];
            let (n, fds, credentials) = recv_with_fds(&there, &mut buffer).unwrap();
            assert_eq!((&buffer[..n], fds.len()), (&b"two"[..], 2));
            assert!(fds.iter().all(is_cloexec));
            assert_eq!(credentials.unwrap().pid, std::process::id());
            rustix::io::write(&fds[1], b"x").unwrap();
            assert_eq!(rustix::io::read(&fds[0], &mut buffer).unwrap(), 1);
            drop(here);
            assert_eq!(recv_with_fds(&there, &mut buffer).unwrap().0, 0);
        }
    }

    #[test]
    fn as_many_descriptors_as_the_kernel_allows_and_no_more() {
        let (here, there) = pair(SocketType::STREAM);
        pass_credentials(&there, true).unwrap();
        let many = vec![here.as_fd(); MAX_FDS];
        assert_eq!(send_with_fds(&here, b"x", &many).unwrap(), 1);
        let (n, fds, credentials) = recv_with_fds(&there, &mut [0; 4]).unwrap();
        assert_eq!((n, fds.len(), credentials.is_some()), (1, MAX_FDS, true));
        let many = vec![here.as_fd(); MAX_FDS + 1];
        assert_eq!(send_with_fds(&here, b"x", &many).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        let none = send_with_fds(&here, b"", &[here.as_fd()]).unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn a_cut_message_is_an_error_and_its_descriptors_are_closed() {
        let (here, there) = pair(SocketType::SEQPACKET);
        let (read, write) = rustix::pipe::pipe().unwrap();
        send_with_fds(&here, b"longer than that", &[write.as_fd()]).unwrap();
        drop(write);
        assert_eq!(recv_with_fds(&there, &mut [0; 4]).unwrap_err().kind(), io::ErrorKind::InvalidData);
        // The end is seen because the last writing end, the one that was sent, is closed.
        assert_eq!(rustix::io::read(&read, &mut [0; 1]).unwrap(), 0);
    }

    #[test]
    fn descriptors_do_not_arrive_later_than_their_message() {
        let (here, there) = pair(SocketType::STREAM);
        send_with_fds(&here, b"before", &[]).unwrap();
        send_with_fds(&here, b"with", &[here.as_fd()]).unwrap();
        send_with_fds(&here, b"after", &[]).unwrap();
        let (mut bytes, mut buffer, mut arrived) = (Vec::new(), [0; 64], None);
        while bytes.len() < 15 {
            let (n, fds, _) = recv_with_fds(&there, &mut buffer).unwrap();
            if !fds.is_empty() {
                arrived = Some((bytes.len(), bytes.len() + n));
            }
            bytes.extend_from_slice(&buffer[..n]);
        }
        assert_eq!(bytes, b"beforewithafter");
        let (from, to) = arrived.unwrap();
        assert!(from <= 6 && to == 10, "{from}..{to}");
    }

    #[test]
    fn a_closed_connection_is_an_error_and_no_signal() {
        let (here, there) = pair(SocketType::STREAM);
        drop(there);
        assert_eq!(send_with_fds(&here, b"x", &[]).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn the_other_end_of_a_pair_is_this_process() {
        let (here, _there) = stream_pair().unwrap();
        assert_eq!(peer(&here).unwrap().pid, std::process::id());
    }
}
