//! Makes a believable access log out of a seed, with no other input.

use transputer_guest::{Error, Sender, process};

const PATHS: [&str; 10] = [
    "/",
    "/index.html",
    "/blog",
    "/blog/csp",
    "/blog/occam",
    "/about",
    "/feed.xml",
    "/style.css",
    "/logo.svg",
    "/admin",
];

const AGENTS: [&str; 8] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/138.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1 Version/18.0 Safari/605.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Mobile/15E148",
    "ExampleBot/2.1 (+https://bot.example/about)",
    "curl/8.9.1",
    "TinySpider/0.4",
    "UptimeMonitor/1.0",
];

/// A small generator of numbers that look random: xorshift64*, by Sebastiano Vigna.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        // The smaller of two throws, so that what comes first is more common.
        let sides = from.len() as u64;
        let throw = self.below(sides).min(self.below(sides));
        from[throw as usize]
    }
}

/// Writes so many lines of the combined log format, a second or so apart.
#[process]
fn visitors(lines: u64, seed: u64, log: Sender<String>) -> Result<(), Error> {
    let mut dice = Dice(seed.max(1));
    let mut second = 0;
    for number in 0..lines {
        second += dice.below(3);
        let (hour, minute) = (second / 3600 % 24, second / 60 % 60);
        let time = format!("23/Nov/2026:{hour:02}:{minute:02}:{:02} +0000", second % 60);
        let address = format!("192.0.2.{}", dice.below(254) + 1);
        let path = dice.pick(&PATHS);
        let (status, bytes) = match dice.below(20) {
            0 => (404, 153),
            1 => (304, 0),
            _ if path == "/admin" => (403, 146),
            _ => (200, 400 + dice.below(20_000)),
        };
        let agent = dice.pick(&AGENTS);
        log.send(&match number % 997 {
            996 => "-- log rotated --".to_owned(),
            _ => format!(
                "{address} - - [{time}] \"GET {path} HTTP/1.1\" {status} {bytes} \"-\" \"{agent}\""
            ),
        })?;
    }
    Ok(())
}
