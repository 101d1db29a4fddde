//! Dates and times of the crates chrono and time, as texts that every language reads (ISO 8601, RFC 3339).

use super::{Message, Reader, Type, Writer};
use crate::error::Undecodable;

/// Texts, with what one is called in errors, and how it is written and read.
macro_rules! texts {
    ($($ty:ty: $name:literal, $write:expr, $read:expr;)*) => {$(
        impl Message for $ty {
            const TYPE: &'static Type = String::TYPE;

            fn write(&self, writer: &mut Writer) {
                let text: String = ($write)(self);
                writer.text(&text);
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, Undecodable> {
                let at = reader.offset();
                let text = reader.text(Self::TYPE)?;
                let read: Option<Self> = ($read)(&*text);
                read.ok_or_else(|| Undecodable::new($name, format!("the text `{text}`"), at))
            }
        }
    )*};
}

#[cfg(feature = "chrono")]
mod of_chrono {
    use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};

    use super::*;

    texts! {
        DateTime<Utc>: "a time such as 2026-01-31T08:30:00Z",
            |time: &Self| format!("{time:?}"), |text: &str| text.parse().ok();
        DateTime<FixedOffset>: "a time such as 2026-01-31T08:30:00+01:00",
            |time: &Self| time.to_rfc3339(), |text: &str| text.parse().ok();
        NaiveDate: "a date such as 2026-01-31",
            |date: &Self| format!("{date:?}"), |text: &str| text.parse().ok();
        NaiveTime: "a time such as 08:30:00",
            |time: &Self| format!("{time:?}"), |text: &str| text.parse().ok();
        NaiveDateTime: "a time such as 2026-01-31T08:30:00",
            |time: &Self| format!("{time:?}"), |text: &str| text.parse().ok();
    }
}

#[cfg(feature = "time")]
mod of_time {
    use time::format_description::well_known::{Iso8601, Rfc3339};
    use time::{Date, OffsetDateTime};

    use super::*;

    // Years of more than four digits have no such text; they arrive as an empty one, which is refused.
    texts! {
        OffsetDateTime: "a time such as 2026-01-31T08:30:00Z",
            |time: &Self| time.format(&Rfc3339).unwrap_or_default(),
            |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
        Date: "a date such as 2026-01-31",
            |date: &Self| date.format(&Iso8601::DATE).unwrap_or_default(),
            |text: &str| Date::parse(text, &Iso8601::DATE).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use crate::message::{Message, Reader, Writer};

    fn arrives<T: Message + PartialEq + Debug>(value: &T, text: &str) {
        let mut writer = Writer::new(Vec::new());
        value.write(&mut writer);
        let (bytes, _) = writer.finish();
        let read = |bytes: &[u8]| T::read(&mut Reader::new(bytes, Vec::new()));
        assert_eq!(read(&bytes).as_ref(), Ok(value));
        let sent = String::read(&mut Reader::new(&bytes, Vec::new()));
        assert_eq!(sent.as_deref(), Ok(text));
        let refused = read(b"\x64noon").expect_err("it is no such text");
        assert_eq!(refused.found, "the text `noon`");
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn times_of_chrono() {
        use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};

        let time: DateTime<Utc> = "2026-01-31T08:30:00.25Z".parse().unwrap();
        arrives(&time, "2026-01-31T08:30:00.250Z");
        let time: DateTime<FixedOffset> = "2026-01-31T08:30:00+01:00".parse().unwrap();
        arrives(&time, "2026-01-31T08:30:00+01:00");
        let date: NaiveDate = "2026-01-31".parse().unwrap();
        arrives(&date, "2026-01-31");
        let time: NaiveTime = "08:30:00".parse().unwrap();
        arrives(&time, "08:30:00");
        arrives(&NaiveDateTime::new(date, time), "2026-01-31T08:30:00");
    }

    #[cfg(feature = "time")]
    #[test]
    fn times_of_time() {
        use time::format_description::well_known::Rfc3339;
        use time::{Date, Month, OffsetDateTime};

        let time = OffsetDateTime::parse("2026-01-31T08:30:00+01:00", &Rfc3339).unwrap();
        arrives(&time, "2026-01-31T08:30:00+01:00");
        let date = Date::from_calendar_date(2026, Month::January, 31).unwrap();
        arrives(&date, "2026-01-31");
    }
}
