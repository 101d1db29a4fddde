//! The types of messages, as the signature and the error messages print them.

use core::fmt;

/// The type of a message in WIT syntax, as a tree that can be built and printed
/// at compile time.
///
/// Its [`Display`](fmt::Display) form is the canonical one in which the host compares
/// the types of two ports: `list<option<u64>>`, `record { id: u64, line: string }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A type that has a name of its own: `u64`, `string`, ...
    Name(&'static str),
    /// `list<T>`
    List(&'static Type),
    /// `option<T>`
    Option(&'static Type),
    /// `result<T, E>`
    Result(&'static Type, &'static Type),
    /// `tuple<A, B>`; the unit type is `tuple<>`.
    Tuple(&'static [&'static Type]),
    /// `record { field: T }`
    Record(&'static [(&'static str, &'static Type)]),
    /// `enum { A, B }`
    Enum(&'static [&'static str]),
    /// `variant { A, B(T) }`
    Variant(&'static [(&'static str, Option<&'static Type>)]),
    /// `sender<T>`: the sending end of a channel.
    Sender(&'static Type),
    /// `receiver<T>`: the receiving end of a channel.
    Receiver(&'static Type),
    /// `barrier`: a membership of a barrier.
    Barrier,
}

impl Type {
    /// Whether a value of this type may be left out: it is an `option<T>`.
    pub const fn is_option(&self) -> bool {
        matches!(self, Type::Option(_))
    }

    /// Whether a value of this type can hold ends of channels.
    pub const fn carries_ends(&self) -> bool {
        match self {
            Type::Name(_) | Type::Enum(_) => false,
            Type::Sender(_) | Type::Receiver(_) | Type::Barrier => true,
            Type::List(item) | Type::Option(item) => item.carries_ends(),
            Type::Result(ok, err) => ok.carries_ends() || err.carries_ends(),
            Type::Tuple(items) => {
                let mut i = 0;
                while i < items.len() {
                    if items[i].carries_ends() {
                        return true;
                    }
                    i += 1;
                }
                false
            }
            Type::Record(fields) => {
                let mut i = 0;
                while i < fields.len() {
                    if fields[i].1.carries_ends() {
                        return true;
                    }
                    i += 1;
                }
                false
            }
            Type::Variant(cases) => {
                let mut i = 0;
                while i < cases.len() {
                    if let Some(payload) = cases[i].1
                        && payload.carries_ends()
                    {
                        return true;
                    }
                    i += 1;
                }
                false
            }
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut measure = Printer::new(&mut []);
        measure.ty(self);
        let mut text = vec![0; measure.length()];
        Printer::new(&mut text).ty(self);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// Prints types at compile time, as far as `out` reaches: an empty one measures.
pub(crate) struct Printer<'o> {
    out: &'o mut [u8],
    at: usize,
}

impl<'o> Printer<'o> {
    pub(crate) const fn new(out: &'o mut [u8]) -> Self {
        Printer { out, at: 0 }
    }

    /// How much has been printed.
    pub(crate) const fn length(&self) -> usize {
        self.at
    }

    pub(crate) const fn text(&mut self, text: &str) {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() {
            if self.at < self.out.len() {
                self.out[self.at] = text[i];
            }
            self.at += 1;
            i += 1;
        }
    }

    pub(crate) const fn number(&mut self, number: usize) {
        if number >= 10 {
            self.number(number / 10);
        }
        const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        self.text(DIGITS[number % 10]);
    }

    pub(crate) const fn ty(&mut self, ty: &Type) {
        match ty {
            Type::Name(name) => self.text(name),
            Type::List(item) => self.wrapped("list<", item),
            Type::Option(item) => self.wrapped("option<", item),
            Type::Sender(item) => self.wrapped("sender<", item),
            Type::Receiver(item) => self.wrapped("receiver<", item),
            Type::Barrier => self.text("barrier"),
            Type::Result(ok, err) => {
                self.text("result<");
                self.ty(ok);
                self.text(", ");
                self.ty(err);
                self.text(">");
            }
            Type::Tuple(items) => self.tuple(items),
            Type::Record(fields) => self.record(fields),
            Type::Enum(names) => self.enumeration(names),
            Type::Variant(cases) => self.variant(cases),
        }
    }

    const fn wrapped(&mut self, open: &str, item: &Type) {
        self.text(open);
        self.ty(item);
        self.text(">");
    }

    const fn separator(&mut self, index: usize) {
        if index > 0 {
            self.text(", ");
        }
    }

    const fn tuple(&mut self, items: &[&Type]) {
        self.text("tuple<");
        let mut i = 0;
        while i < items.len() {
            self.separator(i);
            self.ty(items[i]);
            i += 1;
        }
        self.text(">");
    }

    const fn record(&mut self, fields: &[(&str, &Type)]) {
        self.text("record { ");
        let mut i = 0;
        while i < fields.len() {
            self.separator(i);
            self.text(fields[i].0);
            self.text(": ");
            self.ty(fields[i].1);
            i += 1;
        }
        self.text(" }");
    }

    const fn enumeration(&mut self, names: &[&str]) {
        self.text("enum { ");
        let mut i = 0;
        while i < names.len() {
            self.separator(i);
            self.text(names[i]);
            i += 1;
        }
        self.text(" }");
    }

    const fn variant(&mut self, cases: &[(&str, Option<&Type>)]) {
        self.text("variant { ");
        let mut i = 0;
        while i < cases.len() {
            self.separator(i);
            self.text(cases[i].0);
            if let Some(payload) = cases[i].1 {
                self.text("(");
                self.ty(payload);
                self.text(")");
            }
            i += 1;
        }
        self.text(" }");
    }
}

#[cfg(test)]
mod tests {
    use super::Type;

    #[test]
    fn prints_every_kind_in_canonical_form() {
        const U64: &Type = &Type::Name("u64");
        let cases: &[(&Type, &str)] = &[
            (U64, "u64"),
            (&Type::List(&Type::Option(U64)), "list<option<u64>>"),
            (
                &Type::Result(U64, &Type::Name("string")),
                "result<u64, string>",
            ),
            (&Type::Tuple(&[]), "tuple<>"),
            (&Type::Tuple(&[U64, U64]), "tuple<u64, u64>"),
            (
                &Type::Record(&[("id", U64), ("line", &Type::Name("string"))]),
                "record { id: u64, line: string }",
            ),
            (&Type::Enum(&["A", "B"]), "enum { A, B }"),
            (
                &Type::Variant(&[("A", None), ("B", Some(U64))]),
                "variant { A, B(u64) }",
            ),
            (&Type::Sender(&Type::Receiver(U64)), "sender<receiver<u64>>"),
        ];
        for (ty, text) in cases {
            assert_eq!(ty.to_string(), *text);
        }
    }

    #[test]
    fn finds_ends_at_any_depth() {
        const U64: &Type = &Type::Name("u64");
        const END: &Type = &Type::Sender(U64);
        assert!(!Type::List(U64).carries_ends());
        assert!(Type::List(&Type::Tuple(&[U64, END])).carries_ends());
        assert!(Type::Record(&[("a", U64), ("b", END)]).carries_ends());
        assert!(Type::Variant(&[("a", None), ("b", Some(END))]).carries_ends());
        assert!(Type::Result(U64, END).carries_ends());
    }
}
