//! Compiled code that is kept on disk: whatever becomes of the files, the right code runs, and the
//! files are right afterwards.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use transputer::{CacheFolder, Component, Error, Host, HostOptions, Verdict};
use transputer_tests::{Kit, input, new_host, output, raw_guest};

/// Bytes of the footer of a file: see `host/runtime/src/code_cache/entry.rs`.
const FOOTER: usize = 84;

/// Where the footer holds the version of the format.
const VERSION: usize = 8;

fn options(folder: &Path) -> HostOptions {
    HostOptions::default()
        .cache(CacheFolder::At(folder.to_owned()))
        .max_processes(8)
}

/// A small component, a host, and the file that the host keeps its code in.
struct Kept {
    folder: TempDir,
    host: Host,
    bytes: Vec<u8>,
    file: PathBuf,
    right: Vec<u8>,
}

impl Kept {
    fn new(guest: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let host = new_host(options(folder.path()));
        let bytes = raw_guest(guest, Kit::Ordinary);
        load(&host, &bytes);
        let [file] = &files(folder.path())[..] else {
            panic!("one component, one file");
        };
        let right = fs::read(file).expect("it is readable");
        Self {
            file: file.clone(),
            folder,
            host,
            bytes,
            right,
        }
    }

    /// With this in place of the file, the component is compiled again and kept again.
    fn is_repaired_from(&self, damaged: &[u8], what: &str) {
        // Another file: the one before is mapped by the host, which relies on nobody writing to it.
        fs::remove_file(&self.file).expect("it is there");
        fs::write(&self.file, damaged).expect("there is room");
        self.is_repaired(what);
        assert!(
            fs::read(&self.file).ok().as_ref() == Some(&self.right),
            "{what}"
        );
    }

    fn is_repaired(&self, what: &str) {
        let before = self.host.cache_use();
        runs(&self.host, &load(&self.host, &self.bytes));
        let after = self.host.cache_use();
        assert_eq!(after, (before.0, before.1 + 1), "{what}");
    }

    /// The file is used as it is.
    fn is_used(&self) {
        let before = self.host.cache_use();
        runs(&self.host, &load(&self.host, &self.bytes));
        let after = self.host.cache_use();
        assert_eq!(after, (before.0 + 1, before.1));
    }
}

fn load(host: &Host, bytes: &[u8]) -> Component {
    match host.component_from_bytes("plugin.wasm", bytes) {
        Ok(component) => component,
        Err(error) => panic!("{error}"),
    }
}

/// Passes a message through the component, which is `lies`.
fn runs(host: &Host, component: &Component) {
    let mut network = host.network("cached");
    network.process("passes", component);
    let into = input(&mut network, "passes.in");
    let out = output(&mut network, "passes.numbers");
    let running = network.start().expect("there is room");
    into.send("a message").expect("it receives");
    assert_eq!(out.receive().expect("it sends"), b"a message"[..]);
    drop((into, out));
    assert_eq!(running.wait().verdict(), Verdict::Succeeded);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    paths.collect()
}

#[test]
fn a_flipped_bit_is_noticed_wherever_it_is() {
    let kept = Kept::new("lies");
    let length = kept.right.len();
    let everywhere = (0..length).step_by(length / 400);
    for byte in everywhere.chain(length - FOOTER..length) {
        let mut damaged = kept.right.clone();
        let bit = byte % 8;
        damaged[byte] ^= 1 << bit;
        kept.is_repaired_from(&damaged, &format!("bit {bit} of byte {byte}"));
    }
    kept.is_used();
}

#[test]
fn a_file_of_another_length_is_noticed() {
    let kept = Kept::new("lies");
    let length = kept.right.len();
    let near_the_footer = [1, FOOTER, length - FOOTER, length - FOOTER + 1, length - 1];
    let everywhere = (0..length).step_by(length / 50);
    for cut in near_the_footer.into_iter().chain(everywhere) {
        kept.is_repaired_from(&kept.right[..cut], &format!("the first {cut} bytes"));
    }
    kept.is_repaired_from(&vec![0; length], "zeros");
    kept.is_repaired_from(&[&kept.right[..], b"\0"].concat(), "one byte more");
    kept.is_repaired_from(&[&kept.right[..], &kept.right].concat(), "twice");
    kept.is_used();
}

#[test]
fn a_file_of_another_version_is_replaced() {
    let kept = Kept::new("lies");
    let at = kept.right.len() - FOOTER + VERSION;
    for version in [0, 1, u32::MAX] {
        let mut other = kept.right.clone();
        other[at..at + 4].copy_from_slice(&version.to_le_bytes());
        kept.is_repaired_from(&other, &format!("version {version}"));
    }
}

#[test]
fn a_file_of_another_component_is_replaced() {
    let kept = Kept::new("lies");
    let other = Kept::new("never_ends");
    kept.is_repaired_from(&other.right, "whole, but another component's");
}

#[test]
fn a_file_for_another_engine_is_not_found() {
    let kept = Kept::new("lies");
    let seeded = new_host(options(kept.folder.path()).seed(1));
    runs(&seeded, &load(&seeded, &kept.bytes));
    assert_eq!(seeded.cache_use(), (0, 1));
    assert_eq!(files(kept.folder.path()).len(), 2);
    kept.is_used();
}

#[test]
fn which_way_a_component_goes_does_not_depend_on_what_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = raw_guest("lies", Kit::Ordinary);
    let host = |core_modules| {
        let options = options(folder.path()).core_modules(core_modules);
        Host::new(options).expect("a host can be set up")
    };
    for (core_modules, compiled) in [(false, 1), (true, 1), (false, 0), (true, 0)] {
        let host = host(core_modules);
        assert_eq!(load(&host, &bytes).runs_core_module(), core_modules);
        assert_eq!(host.cache_use(), (1 - compiled, compiled));
    }
    assert_eq!(files(folder.path()).len(), 2);
}

#[test]
fn what_is_no_file_is_left_alone() {
    let kept = Kept::new("lies");
    fs::remove_file(&kept.file).expect("it is ours");
    fs::create_dir(&kept.file).expect("its name is free");
    kept.is_repaired("a folder");
    kept.is_repaired("still a folder");
}

#[test]
fn a_folder_that_has_gone_is_done_without() {
    let kept = Kept::new("lies");
    fs::remove_dir_all(kept.folder.path()).expect("it is ours");
    kept.is_repaired("no folder");
    kept.is_repaired("still no folder");
}

#[test]
fn hosts_that_load_the_same_at_once_share_the_files() {
    let names = ["lies", "never_ends", "opener", "hoarder"];
    let components = names.map(|name| raw_guest(name, Kit::Ordinary));
    for _ in 0..10 {
        let folder = tempfile::tempdir().expect("a folder");
        let hosts = [(); 3].map(|()| new_host(options(folder.path())));
        std::thread::scope(|scope| {
            for host in &hosts {
                scope.spawn(|| {
                    for component in &components {
                        load(host, component);
                    }
                });
            }
        });
        assert_eq!(files(folder.path()).len(), names.len());
        let late = new_host(options(folder.path()));
        for component in &components {
            load(&late, component);
        }
        assert_eq!(late.cache_use(), (names.len(), 0));
    }
}

#[cfg(unix)]
mod rights {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn rights(path: &Path) -> u32 {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    }

    fn give(path: &Path, rights: u32) {
        fs::set_permissions(path, Permissions::from_mode(rights)).expect("it is ours");
    }

    #[test]
    fn what_the_cache_makes_is_for_its_user_alone() {
        let above = tempfile::tempdir().expect("a folder");
        let folder = above.path().join("deep/down");
        let host = new_host(options(&folder));
        load(&host, &raw_guest("lies", Kit::Ordinary));
        assert_eq!(rights(&folder), 0o700);
        for file in files(&folder) {
            assert_eq!(rights(&file), 0o400);
        }
    }

    #[test]
    fn a_folder_that_others_can_write_is_refused() {
        for mode in [0o777, 0o770, 0o702] {
            let folder = tempfile::tempdir().expect("a folder");
            give(folder.path(), mode);
            let Err(Error::Setup { message }) = Host::new(options(folder.path())) else {
                panic!("it is refused");
            };
            let named = folder.path().display().to_string();
            assert!(message.contains(&named), "{message}");
            assert!(
                message.contains("can be written by other users"),
                "{message}"
            );
        }
        let folder = tempfile::tempdir().expect("a folder");
        give(folder.path(), 0o755);
        new_host(options(folder.path()));
    }

    #[test]
    fn a_file_that_others_can_write_is_replaced() {
        let kept = Kept::new("lies");
        for mode in [0o666, 0o620, 0o602] {
            give(&kept.file, mode);
            kept.is_repaired(&format!("{mode:o}"));
            assert_eq!(rights(&kept.file), 0o400);
        }
        give(&kept.file, 0o644);
        kept.is_used();
    }

    /// Root can write it nonetheless.
    #[test]
    fn a_folder_that_cannot_be_written_is_read() {
        let kept = Kept::new("lies");
        // Another file: see `is_repaired_from`.
        fs::remove_file(&kept.file).expect("it is there");
        fs::write(&kept.file, &kept.right).expect("there is room");
        give(kept.folder.path(), 0o500);
        kept.is_used();
        give(kept.folder.path(), 0o700);
        fs::remove_file(&kept.file).expect("it is there");
        fs::write(&kept.file, "damaged").expect("there is room");
        give(kept.folder.path(), 0o500);
        runs(&kept.host, &load(&kept.host, &kept.bytes));
        give(kept.folder.path(), 0o700);
    }
}
