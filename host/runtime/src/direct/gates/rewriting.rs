//! Which rewriting it is, for the cache of compiled code: a module that was rewritten in another
//! way is not taken for one that was rewritten in this one.

use super::{Gate, Gates};

/// What decides what becomes of a module: whoever changes it has it compiled anew.
const SOURCES: [&[u8]; 3] = [
    include_bytes!("mod.rs"),
    include_bytes!("../module.rs"),
    include_bytes!("../wasi.rs"),
];

/// FNV-1a, while compiling.
const SOURCE: u64 = {
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    let mut source = 0;
    while source < SOURCES.len() {
        let mut byte = 0;
        while byte < SOURCES[source].len() {
            digest ^= SOURCES[source][byte] as u64;
            digest = digest.wrapping_mul(0x0100_0000_01b3);
            byte += 1;
        }
        source += 1;
    }
    digest
};

/// A digest of what is done with these gates.
pub(in crate::direct) fn digest(gates: &Gates) -> blake3::Hash {
    let mut gates: Vec<_> = gates.iter().collect();
    gates.sort_unstable_by_key(|(import, _)| **import);
    let mut hasher = blake3::Hasher::new();
    hasher.update(&SOURCE.to_le_bytes());
    for ((from, name), gate) in gates {
        for text in [from, name] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.update(&[(*gate == Gate::Try).into()]);
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::{Gate, Gates, digest};

    #[test]
    fn other_gates_are_another_rewriting() {
        let gates = |gate| Gates::from([(("a", "b"), gate), (("c", "d"), Gate::Try)]);
        assert_eq!(digest(&gates(Gate::Try)), digest(&gates(Gate::Try)));
        assert_ne!(digest(&gates(Gate::Try)), digest(&gates(Gate::Wait)));
        let moved = Gates::from([(("a", "bc"), Gate::Try), (("", "d"), Gate::Try)]);
        assert_ne!(digest(&gates(Gate::Try)), digest(&moved));
    }
}
