//! Identifies the rewriting, for a cache of compiled code: a module that was rewritten in another way must
//! not be mistaken for one that was rewritten in this way.

use wasm_encoder::ValType;

use super::sample::{Import, sample};
use super::{Trampoline, Trampolines, add};
use crate::form::{self, Form, Found, Module};
use crate::link::is_linked;

/// A digest of what is done with these trampolines.
///
/// It covers what becomes of a small module that imports all of them, so that it changes with everything
/// that decides this: the code of this crate, and of the encoder.
pub(crate) fn digest(trampolines: &Trampolines) -> blake3::Hash {
    let mut all: Vec<_> = trampolines.iter().collect();
    all.sort_unstable_by_key(|(import, _)| **import);
    let mut hasher = blake3::Hasher::new();
    hasher.update(&form::VERSION.to_le_bytes());
    for ((from, name), trampoline) in &all {
        for text in [from, name] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        let number = match trampoline {
            Trampoline::Wait => 0,
            Trampoline::Try => 1,
            Trampoline::Begin(status) => 2 + status,
        };
        hasher.update(&number.to_le_bytes());
    }
    for form in [Form::Fiber, Form::Stackless] {
        let of_form = all
            .iter()
            .filter(|((from, name), _)| is_linked(form, from, name));
        let imports = of_form.map(|((from, name), trampoline)| import(from, name, **trampoline));
        let sample = sample(&imports.collect::<Vec<_>>());
        let module = Module::read(&sample);
        let found = module.map(|module| Found { module, form });
        if let Some(rewritten) = found.and_then(|found| add(&found, trampolines).ok()) {
            hasher.update(&rewritten);
        }
    }
    hasher.finalize()
}

/// Only the name decides which trampoline it gets: any type will do.
fn import<'a>(from: &'a str, name: &'a str, trampoline: Trampoline) -> Import<'a> {
    Import {
        from,
        name,
        parameters: &[ValType::I32, ValType::I64],
        results: match trampoline {
            Trampoline::Begin(_) => &[ValType::I32],
            Trampoline::Try | Trampoline::Wait => &[],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Trampoline, Trampolines, digest, import, sample};
    use crate::form::{Form, Found, Module};
    use crate::trampolines::add;

    const CHANNEL: &str = "transputer:csp/channel@0.1.0";

    #[test]
    fn other_trampolines_are_another_rewriting() {
        let trampolines = |open| {
            Trampolines::from([
                ((CHANNEL, "open"), open),
                ((CHANNEL, "send-small"), Trampoline::Try),
            ])
        };
        let (waits, tries) = (trampolines(Trampoline::Wait), trampolines(Trampoline::Try));
        assert_eq!(digest(&tries), digest(&tries));
        assert_ne!(digest(&tries), digest(&waits));
    }

    #[test]
    fn the_sample_is_rewritten() {
        let lowered = ("transputer:csp/tasks@0.2.0", "[async-lower]send-small");
        let trampolines = Trampolines::from([
            ((CHANNEL, "open"), Trampoline::Wait),
            (lowered, Trampoline::Begin(2)),
        ]);
        let imports = [
            (Form::Fiber, import(CHANNEL, "open", Trampoline::Wait)),
            (
                Form::Stackless,
                import(lowered.0, lowered.1, Trampoline::Begin(2)),
            ),
        ];
        for (form, import) in imports {
            let sample = sample(&[import]);
            let module = Module::read(&sample).expect("a module");
            let rewritten = add(&Found { module, form }, &trampolines);
            let validated = rewritten.map(|it| wasmparser::Validator::new().validate_all(&it));
            validated.expect("a suitable one").expect("a valid one");
        }
    }
}
