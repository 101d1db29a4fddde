//! Runs every plugin of a folder as a process of its own, and passes a text through each.
//!
//!     transputer build --out plugins examples/embed/shout
//!     cargo run --locked -p transputer-example-embed -- plugins

use anyhow::Context as _;
use transputer::{ChannelOptions, Host, HostOptions, Limits};

fn main() -> anyhow::Result<()> {
    let folder = std::env::args()
        .nth(1)
        .context("usage: embed PLUGIN-FOLDER")?;
    let host = Host::new(HostOptions::default())?;
    for plugin in std::fs::read_dir(folder)? {
        let component = host.component(plugin?.path())?;
        let mut network = host.network("plugin");
        // No files, no network, no clock; and not more than this.
        network
            .process("plugin", &component)
            .limits(Limits::default().memory(8 << 20));
        let rendezvous = ChannelOptions::rendezvous();
        let words = network.input("plugin.words", rendezvous)?;
        let answers = network.output("plugin.answers", rendezvous)?;
        let running = network.start()?;
        std::thread::spawn(move || {
            ["plugins", "cannot", "hurt"].map(|word| words.send_value(&word).is_ok())
        });
        for answer in answers.values::<String>() {
            println!("{}", answer?);
        }
        println!("{:?}", running.wait().verdict());
    }
    Ok(())
}
