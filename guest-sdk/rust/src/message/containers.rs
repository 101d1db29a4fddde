//! Lists, options, results and tuples.

use super::{Message, Reader, Type, Writer};
use crate::error::Undecodable;

impl<T: Message> Message for Vec<T> {
    const TYPE: &'static Type = &Type::List(T::TYPE);

    fn write(&self, writer: &mut Writer) {
        T::write_list(self, writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        T::read_list(reader)
    }

    fn write_whole(&self, writer: &mut Writer) {
        T::write_whole_list(self, writer);
    }

    fn read_whole(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        T::read_whole_list(reader)
    }

    fn as_whole(&self) -> Option<&[u8]> {
        T::list_as_whole(self)
    }

    fn from_whole(message: Vec<u8>) -> Result<Self, Vec<u8>> {
        T::list_from_whole(message)
    }
}

/// An option of an option cannot cross: null would stand for two values.
impl<T: Message> Message for Option<T> {
    const TYPE: &'static Type = {
        assert!(
            !T::TYPE.is_option(),
            "an option of an option cannot be a message: null would stand for two values"
        );
        &Type::Option(T::TYPE)
    };

    fn write(&self, writer: &mut Writer) {
        match self {
            Some(value) => value.write(writer),
            None => writer.null(),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        if reader.null() {
            return Ok(None);
        }
        T::read(reader).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Message, E: Message> Message for Result<T, E> {
    const TYPE: &'static Type = &Type::Result(T::TYPE, E::TYPE);

    fn write(&self, writer: &mut Writer) {
        match self {
            Ok(value) => {
                writer.case("Ok");
                value.write(writer);
            }
            Err(error) => {
                writer.case("Err");
                error.write(writer);
            }
        }
    }

    /// Reads WIT's own `ok` and `err` as well.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let case = reader.case(Self::TYPE)?;
        let value = match case.name() {
            "Ok" | "ok" => Ok(reader.payload(&case)?),
            "Err" | "err" => Err(reader.payload(&case)?),
            _ => return Err(reader.unknown_case(&case, Self::TYPE)),
        };
        reader.close_case(&case, Self::TYPE)?;
        Ok(value)
    }
}

macro_rules! tuples {
    ($($length:literal ($($item:ident $index:tt)*))*) => {$(
        impl<$($item: Message),*> Message for ($($item,)*) {
            const TYPE: &'static Type = &Type::Tuple(&[$($item::TYPE),*]);

            fn write(&self, writer: &mut Writer) {
                writer.array($length);
                $(self.$index.write(writer);)*
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
                let indefinite = reader.tuple(Self::TYPE, $length)?;
                let items = ($(reader.item::<$item>($index)?,)*);
                reader.close(indefinite, Self::TYPE)?;
                Ok(items)
            }
        }
    )*};
}

tuples! {
    1 (A 0)
    2 (A 0 B 1)
    3 (A 0 B 1 C 2)
    4 (A 0 B 1 C 2 D 3)
    5 (A 0 B 1 C 2 D 3 E 4)
    6 (A 0 B 1 C 2 D 3 E 4 F 5)
    7 (A 0 B 1 C 2 D 3 E 4 F 5 G 6)
    8 (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7)
}

impl Message for () {
    const TYPE: &'static Type = &Type::Tuple(&[]);

    fn write(&self, writer: &mut Writer) {
        writer.array(0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let indefinite = reader.tuple(Self::TYPE, 0)?;
        reader.close(indefinite, Self::TYPE)
    }
}
