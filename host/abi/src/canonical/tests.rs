use super::{DONE, List, Lower, Lowering};
use crate::bindings::transputer::csp::channel::{Error, Received, Sent, Small, Statistics};

/// Gives a value to a guest that allocates one list behind the other, from 100 on.
fn given<T: Lower>(value: T) -> Vec<u8> {
    let mut memory = vec![0xee; 256];
    let mut lowering = Lowering::of(value).expect("a value that fits");
    let mut wanted = lowering.begin(&mut memory, 8).expect("within memory");
    let mut free = 100_u32;
    while wanted != DONE {
        let (align, size) = ((wanted >> 32) as u32, wanted as u32);
        free = free.next_multiple_of(align);
        wanted = lowering
            .allocated(&mut memory, free)
            .expect("within memory");
        free += size;
    }
    memory
}

fn number(memory: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(memory[at..at + 4].try_into().expect("four bytes"))
}

#[test]
fn lists_in_lists_are_where_what_refers_to_them_says() {
    let inner = vec![(String::from("in"), 7_u32), (String::from("out"), 9)];
    let memory = given((5_u32, List(inner)));
    assert_eq!(number(&memory, 8), 5);
    let (list, length) = (number(&memory, 12) as usize, number(&memory, 16));
    assert_eq!(length, 2);
    for (element, (text, value)) in [(list, ("in", 7)), (list + 12, ("out", 9))] {
        let (at, bytes) = (
            number(&memory, element) as usize,
            number(&memory, element + 4),
        );
        assert_eq!(&memory[at..at + bytes as usize], text.as_bytes());
        assert_eq!(number(&memory, element + 8), value);
    }
}

#[test]
fn records_and_variants_are_laid_out_as_the_canonical_abi_says() {
    let sent = given(Sent {
        count: 3,
        error: Some(Error::Closed),
        waiting: 4,
    });
    assert_eq!(number(&sent, 8), 3);
    assert_eq!(sent[12..14], [1, Error::Closed as u8]);
    assert_eq!(number(&sent, 16), 4);
    let small = Small {
        length: 2,
        low: 0x0102,
        high: 3,
    };
    let small = given(Ok::<_, Error>(Received::Small(small)));
    assert_eq!((small[8], small[16]), (0, 0));
    assert_eq!(number(&small, 24), 2);
    assert_eq!((number(&small, 32), number(&small, 40)), (0x0102, 3));
    let seen = given(Statistics {
        sent: 1,
        received: 2,
        dropped: 3,
        waiting: 4,
    });
    let fields = [8, 16, 24, 32].map(|at| number(&seen, at));
    assert_eq!(fields, [1, 2, 3, 4]);
}

#[test]
fn an_empty_list_has_an_address_of_the_guests_choice() {
    let memory = given(Vec::<u8>::new());
    assert_eq!((number(&memory, 8), number(&memory, 12)), (100, 0));
}

#[test]
fn an_address_outside_of_memory_or_not_aligned_is_refused() {
    let mut memory = vec![0; 64];
    let lowered = || Lowering::of((1_u32, vec![1_u8, 2, 3])).expect("a value that fits");
    assert!(lowered().begin(&mut memory, 60).is_err());
    assert!(lowered().begin(&mut memory, u32::MAX - 3).is_err());
    assert!(lowered().begin(&mut memory, 2).is_err());
    let mut lowering = lowered();
    lowering.begin(&mut memory, 0).expect("within memory");
    assert!(lowering.allocated(&mut memory, 62).is_err());
}

#[test]
fn memory_that_nobody_asked_for_is_refused() {
    let mut lowering = Lowering::of(1_u32).expect("a value that fits");
    assert_eq!(
        lowering.begin(&mut [0; 16], 0).expect("within memory"),
        DONE
    );
    assert!(lowering.allocated(&mut [0; 16], 0).is_err());
}
