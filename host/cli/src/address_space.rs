//! Making do with a limited address space (`ulimit -v`).

/// Has all threads allocate from one arena where the address space is limited: glibc reserves 64 MiB for each of them
/// otherwise, and a program that cannot allocate aborts.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn spare() {
    use rustix::process::{Resource, getrlimit};

    if getrlimit(Resource::As).current.is_some() {
        // SAFETY: two numbers are handed over. What other threads have allocated stays where it is.
        #[allow(unsafe_code)]
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, 1);
        }
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn spare() {}
