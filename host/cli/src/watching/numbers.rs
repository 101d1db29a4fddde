//! How numbers are written for people, as on the page.

use std::time::Duration;

/// 950, 1.2k, 34k, 5.6M.
pub(crate) fn count(number: f64) -> String {
    for (unit, one) in [("G", 1e9), ("M", 1e6), ("k", 1e3)] {
        if number >= one * 0.9995 {
            return format!("{}{unit}", digits(number / one));
        }
    }
    match number < 10.0 && number.fract() != 0.0 {
        true => format!("{number:.1}"),
        false => format!("{number:.0}"),
    }
}

fn digits(number: f64) -> String {
    if number >= 99.95 {
        return format!("{number:.0}");
    }
    let text = format!("{number:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// 128 KiB, 1.5 MiB.
pub(crate) fn bytes(number: u64) -> String {
    for (unit, one) in [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if number >= one {
            return format!("{} {unit}", digits(number as f64 / one as f64));
        }
    }
    format!("{number} B")
}

/// A share of time, in per cent.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

/// 340ms, 5.2s, 3m 20s, 2h 5m.
pub(crate) fn lasted(milliseconds: u64) -> String {
    if milliseconds < 1000 {
        return format!("{milliseconds}ms");
    }
    let seconds = milliseconds / 1000;
    match seconds {
        0..60 => format!("{}s", digits(milliseconds as f64 / 1000.0)),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => {
            let long = Duration::from_secs(seconds - seconds % 60);
            humantime::format_duration(long).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (3.25, "3.2"),
            (950.0, "950"),
            (999.9, "1k"),
            (1234.0, "1.2k"),
            (34_000.0, "34k"),
            (123_456_789.0, "123M"),
        ];
        for (number, text) in cases {
            assert_eq!(count(number), text);
        }
        assert_eq!(bytes(131_072), "128 KiB");
        assert_eq!(bytes(100), "100 B");
        assert_eq!(lasted(340), "340ms");
        assert_eq!(lasted(5_200), "5.2s");
        assert_eq!(lasted(200_000), "3m 20s");
        assert_eq!(lasted(7_500_000), "2h 5m");
    }
}
