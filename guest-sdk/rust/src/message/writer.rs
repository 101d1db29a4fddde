//! Writing messages.

use std::rc::Rc;

use minicbor::Encoder;

use crate::channel::{BarrierHandle, ReceiverHandle, SenderHandle};

/// Where a message is written: one CBOR item after the other, and the ends that go
/// with them.
///
/// Only implementations of [`Message`](super::Message) by hand need it.
#[derive(Debug)]
pub struct Writer {
    encoder: Encoder<Vec<u8>>,
    ends: Vec<AttachedEnd>,
}

/// An end that a message takes along. It moves when the message is sent.
#[derive(Debug, Clone)]
pub(crate) enum AttachedEnd {
    Sender(Rc<SenderHandle>),
    Receiver(Rc<ReceiverHandle>),
    Barrier(Rc<BarrierHandle>),
}

/// What is true of every write here: a `Vec` grows.
const NEVER: &str = "writing to a Vec cannot fail";

impl Writer {
    /// A writer that appends to `bytes`.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Writer {
            encoder: Encoder::new(bytes),
            ends: Vec::new(),
        }
    }

    /// The message and the ends that go with it.
    pub(crate) fn finish(self) -> (Vec<u8>, Vec<AttachedEnd>) {
        (self.encoder.into_writer(), self.ends)
    }

    /// Bytes as they are, with no codec.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.encoder.writer_mut().extend_from_slice(bytes);
    }

    /// Attaches an end, and writes its index among the attached ends.
    pub(crate) fn end(&mut self, end: AttachedEnd) {
        self.unsigned(self.ends.len() as u64);
        self.ends.push(end);
    }

    /// An integer that is not negative.
    pub fn unsigned(&mut self, value: u64) {
        self.encoder.u64(value).expect(NEVER);
    }

    /// Any integer.
    pub fn signed(&mut self, value: i64) {
        self.encoder.i64(value).expect(NEVER);
    }

    /// A floating point number of single precision.
    pub fn f32(&mut self, value: f32) {
        self.encoder.f32(value).expect(NEVER);
    }

    /// A floating point number of double precision.
    pub fn f64(&mut self, value: f64) {
        self.encoder.f64(value).expect(NEVER);
    }

    /// A truth value.
    pub fn bool(&mut self, value: bool) {
        self.encoder.bool(value).expect(NEVER);
    }

    /// The value that stands for an absent one.
    pub fn null(&mut self) {
        self.encoder.null().expect(NEVER);
    }

    /// Text, a field's name, or a variant without a payload.
    pub fn text(&mut self, value: &str) {
        self.encoder.str(value).expect(NEVER);
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) {
        self.encoder.bytes(value).expect(NEVER);
    }

    /// The head of a list or tuple; exactly `length` items must follow.
    pub fn array(&mut self, length: usize) {
        self.encoder.array(length as u64).expect(NEVER);
    }

    /// The head of a record; exactly `length` pairs of name and value must follow.
    pub fn map(&mut self, length: usize) {
        self.encoder.map(length as u64).expect(NEVER);
    }

    /// The head of a variant with a payload, which must follow as one item.
    pub fn case(&mut self, name: &str) {
        self.map(1);
        self.text(name);
    }
}
