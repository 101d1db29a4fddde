//! The last run in the README.

use anyhow::Context as _;

use crate::ours;

/// The README's last part, which this replaces.
const LAST_RUN: &str = "## Last run\n";

/// Puts these tables into the README beside the benches, in place of those of the last run.
pub(crate) fn replace_last_run(tables: &str) -> anyhow::Result<()> {
    let file = ours::repository().join("host/benches/README.md");
    let name = file.display();
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
    let (before, _) = text
        .split_once(LAST_RUN)
        .with_context(|| format!("{name} has no part `{}`", LAST_RUN.trim()))?;
    let text = format!("{before}{LAST_RUN}\n{tables}\n");
    std::fs::write(&file, text).with_context(|| format!("cannot write {name}"))?;
    eprintln!("the tables are in {name}");
    Ok(())
}
