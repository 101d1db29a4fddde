//! What is seen from inside only: modules, and the bound on the folder's size. Damage is tested
//! from outside, in `tests/suites/cache.rs`.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use super::entry::{Checked, Key, Origin};
use super::*;

const MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

fn cache(path: &Path) -> Cache {
    Cache::open(&CacheFolder::At(path.to_owned())).expect("the folder is good")
}

/// From the folder, else compiled.
fn load<C: Code>(cache: &Cache, engine: &Engine, bytes: &[u8]) -> wasmtime::Result<C> {
    let origin = Origin::of(bytes);
    match cache.kept(engine, &origin) {
        Some(code) => Ok(code),
        None => cache.compile(engine, &origin, bytes),
    }
}

#[test]
fn modules_and_components_are_kept_side_by_side() {
    let path = tempfile::tempdir().expect("a folder");
    let engine = Engine::default();
    let cache = cache(path.path());
    for round in 0..3 {
        load::<Module>(&cache, &engine, MODULE).expect("it is valid");
        load::<Component>(&cache, &engine, COMPONENT).expect("it is valid");
        assert_eq!(cache.uses(), (2 * round, 2));
    }
}

#[test]
fn the_same_bytes_as_another_kind_of_code_have_another_key() {
    let engine = Engine::default();
    let module = Key::of::<Module>(&engine, &Origin::of(MODULE));
    let component = Key::of::<Component>(&engine, &Origin::of(MODULE));
    assert_ne!(module.file_name(), component.file_name());
}

#[test]
fn components_that_differ_in_their_signatures_share_their_code() {
    let with = |sections: &[u8]| [COMPONENT, sections].concat();
    let key = |bytes: &[u8]| {
        let key = Key::of::<Component>(&Engine::default(), &Origin::of(bytes));
        key.file_name()
    };
    // Custom sections with names of one byte, and one of types without any.
    let (one, other, types) = ([0, 2, 1, b'a'], [0, 3, 1, b'b', 7], [7, 1, 0]);
    assert_eq!(key(&with(&one)), key(COMPONENT));
    assert_eq!(
        key(&with(&[&one[..], &types, &other].concat())),
        key(&with(&types))
    );
    assert_ne!(key(&with(&types)), key(COMPONENT));
    // What is cut off counts as it is.
    assert_ne!(key(&with(&[7, 100, 0])), key(&with(&[7, 99, 0])));
    let module = module(1);
    assert_ne!(key(&module), key(MODULE));
}

#[test]
fn what_was_rewritten_in_another_way_has_another_key() {
    let engine = Engine::default();
    let origin = Origin::of(MODULE);
    let [one, other] = [b"one", b"two"].map(|name| origin.rewritten(&blake3::hash(name)));
    let names = [&origin, &one, &other].map(|from| Key::of::<Module>(&engine, from).file_name());
    assert_ne!(names[0], names[1]);
    assert_ne!(names[1], names[2]);
}

#[test]
fn what_cannot_be_compiled_is_not_kept() {
    let path = tempfile::tempdir().expect("a folder");
    let cache = cache(path.path());
    for _ in 0..2 {
        let refused = load::<Module>(&cache, &Engine::default(), b"nonsense");
        assert!(refused.is_err());
    }
    assert_eq!(fs::read_dir(path.path()).expect("it is there").count(), 0);
}

/// A module that no other number gives.
fn module(number: u8) -> Vec<u8> {
    // A custom section with a name of one byte.
    let mut bytes = MODULE.to_vec();
    bytes.extend_from_slice(&[0, 2, 1, number]);
    bytes
}

/// A folder with room for as many modules as are kept, each last used so many hours ago.
struct Small {
    path: tempfile::TempDir,
    engine: Engine,
    folder: Folder,
}

impl Small {
    fn with(hours: &[u64]) -> Self {
        let path = tempfile::tempdir().expect("a folder");
        let engine = Engine::default();
        let roomy = Folder::open(path.path().to_owned()).expect("the folder is good");
        let mut most = 0;
        for (number, hours) in (0..).zip(hours) {
            let (key, code) = compiled(&engine, number);
            roomy.keep(&key, &code);
            used_before(&path.path().join(key.file_name()), *hours);
            let Checked::Made(file) = &code else {
                unreachable!("it was made now")
            };
            most += file.len() as u64;
        }
        let folder = roomy.with_room_for(most);
        Self {
            path,
            engine,
            folder,
        }
    }

    fn keep(&self, number: u8) {
        let (key, code) = compiled(&self.engine, number);
        self.folder.keep(&key, &code);
    }

    fn has(&self, number: u8) -> bool {
        let key = Key::of::<Module>(&self.engine, &Origin::of(&module(number)));
        self.path.path().join(key.file_name()).exists()
    }
}

fn compiled(engine: &Engine, number: u8) -> (Key, Checked) {
    let bytes = module(number);
    let key = Key::of::<Module>(engine, &Origin::of(&bytes));
    let code = Checked::made::<Module>(engine, &key, &bytes).expect("it is valid");
    (key, code)
}

fn used_before(file: &Path, hours: u64) {
    let time = SystemTime::now() - Duration::from_secs(hours * 60 * 60);
    let file = File::open(file).expect("it is there");
    file.set_modified(time).expect("it is ours");
}

#[test]
fn the_longest_unused_goes_when_there_is_no_room() {
    let small = Small::with(&[2, 9, 5]);
    small.keep(3);
    let left = [0, 1, 2, 3].map(|number| small.has(number));
    assert_eq!(left, [true, false, true, true]);
}

#[test]
fn what_is_loaded_is_used() {
    let small = Small::with(&[2, 9, 5]);
    let oldest = Key::of::<Module>(&small.engine, &Origin::of(&module(1)));
    assert!(small.folder.read(&oldest).is_some());
    small.keep(3);
    let left = [0, 1, 2, 3].map(|number| small.has(number));
    assert_eq!(left, [true, true, false, true]);
}

#[test]
fn only_files_of_the_cache_are_removed() {
    let small = Small::with(&[2, 9, 5]);
    let inside = |name: &str| small.path.path().join(name);
    let others = ["notes.txt", "notes.code", ".unfinished-new"].map(inside);
    let left_behind = inside(".unfinished-old");
    for file in others.iter().chain([&left_behind]) {
        fs::write(file, [0; 100]).expect("there is room");
    }
    used_before(&others[0], 1_000);
    used_before(&others[1], 1_000);
    used_before(&left_behind, 1_000);
    small.keep(3);
    assert!(others.iter().all(|file| file.exists()));
    assert!(!left_behind.exists());
}
