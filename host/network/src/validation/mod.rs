//! Validation: whether the parts of a network fit together.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_spanned::Spanned;

use super::description::{ComponentFile, Description, ProcessEntry};
use super::plan::{Limits, Plan, PlannedComponent, PlannedProcess};
use crate::diagnostics::{Diagnostic, Diagnostics, did_you_mean};
use crate::signature::{Direction, SECTION, Signature};

mod arguments;
mod cycles;
mod overrides;
mod placement;
mod reach;
mod supervision;
mod wiring;

pub use overrides::{ArgumentOverride, OverrideError};
pub use placement::check_on;
pub use reach::{Granted, HostFile, Overreach, Reason, check_grants, overreaching};
use wiring::Wiring;

/// Checks a network against the signatures of its components, and resolves every
/// name in it.
///
/// `signatures` holds the signature of each component by its
/// [name](ComponentFile::name); one that is missing carries none. `overrides` are
/// arguments from the command line. A description with counts is [expanded](Description::expanded) first.
///
/// # Errors
///
/// Everything that is wrong, at once, together with what is merely odd. If nothing is wrong,
/// [`Plan::warnings`] has what is odd.
pub fn check(
    description: &Description,
    signatures: &BTreeMap<String, Signature>,
    overrides: &[ArgumentOverride],
) -> Result<Plan, Diagnostics> {
    let description = &description.expanded(overrides)?;
    let mut check = Check::new(description, signatures);
    check.component_signatures();
    let arguments = check.arguments(overrides);
    let wiring = check.wiring();
    let groups = check.groups();
    check.links();
    let (components, indices) = check.components();
    check.placement(&wiring);
    let processes = check.processes(arguments, &wiring, &indices);
    if check.diagnostics.has_errors() {
        check.diagnostics.sort();
        check.diagnostics.join_similar();
        return Err(check.diagnostics);
    }
    let mut plan = Plan {
        totals: description.totals,
        at_capacity: description.at_capacity,
        name: description.name.clone(),
        doc: description.doc.clone(),
        components,
        processes,
        channels: wiring.channels,
        groups,
        stdin: wiring.stdin,
        stdout: wiring.stdout,
        cluster: description.cluster.clone(),
        warnings: Diagnostics::default(),
    };
    check.closed_circles(&plan);
    check.diagnostics.sort();
    check.diagnostics.join_similar();
    plan.warnings = check.diagnostics;
    Ok(plan)
}

/// A check in progress.
struct Check<'d> {
    description: &'d Description,
    signatures: &'d BTreeMap<String, Signature>,
    files: Vec<ComponentFile>,
    processes: BTreeMap<&'d str, &'d ProcessEntry>,
    diagnostics: Diagnostics,
}

impl<'d> Check<'d> {
    fn new(description: &'d Description, signatures: &'d BTreeMap<String, Signature>) -> Self {
        let processes = description.processes.iter();
        Check {
            description,
            signatures,
            files: description.component_files(),
            processes: processes
                .map(|process| (process.name.get_ref().as_str(), process))
                .collect(),
            diagnostics: Diagnostics::default(),
        }
    }

    fn error(&mut self, span: Range<usize>, message: String) {
        let diagnostic = self.description.diagnostic_at(span, message);
        self.diagnostics.push(diagnostic);
    }

    fn error_with_hint(&mut self, span: Range<usize>, message: String, hint: impl Into<String>) {
        let diagnostic = self
            .description
            .diagnostic_at(span, message)
            .with_hint(hint);
        self.diagnostics.push(diagnostic);
    }

    fn warn(&mut self, span: Range<usize>, message: String, hint: &str) {
        let diagnostic = self
            .description
            .diagnostic_at(span, message)
            .with_hint(hint);
        self.diagnostics.push(diagnostic.as_warning());
    }

    /// Warns of processes that will wait for each other from the beginning.
    fn closed_circles(&mut self, plan: &Plan) {
        for group in cycles::closed(plan) {
            let names = group.iter().map(|&index| &plan.processes[index].name);
            let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
            let first = &plan.processes[group[0]].name;
            let Some(entry) = self.processes.get(first.as_str()) else {
                continue;
            };
            self.warn(
                entry.name.span(),
                format!(
                    "{} meet in a circle of rendezvous channels, and nothing comes in from outside",
                    names.join(", ")
                ),
                "unless one of them sends before it receives, they will deadlock: give a channel \
                 a capacity, or a process something to begin with",
            );
        }
    }

    fn signature(&self, process: &ProcessEntry) -> Option<&'d Signature> {
        self.signatures.get(process.component.get_ref())
    }

    /// Reports components without a signature, components that nobody uses, and names of components that
    /// do not exist.
    fn component_signatures(&mut self) {
        for file in self.files.clone() {
            let used = file.direct || self.is_used(&file.name);
            if !used {
                self.warn(
                    file.span,
                    format!("no process uses the component `{}`", file.name),
                    "remove it, or let a process run or spawn it",
                );
            } else if !self.signatures.contains_key(&file.name) {
                let diagnostic = self.without_signature(&file);
                self.diagnostics.push(diagnostic);
            }
        }
        for process in &self.description.processes {
            for name in &process.spawn {
                self.spawnable(process, name);
            }
        }
    }

    fn is_used(&self, component: &str) -> bool {
        self.description.processes.iter().any(|process| {
            let spawned = process.spawn.iter().any(|name| name.get_ref() == component);
            process.component.get_ref() == component || spawned
        })
    }

    fn without_signature(&self, file: &ComponentFile) -> Diagnostic {
        let message = format!("the component `{}` carries no signature", file.name);
        let mut diagnostic = self.description.component_diagnostic(file, message);
        diagnostic.hint.get_or_insert_with(|| {
            format!(
                "in Rust, put `#[transputer_guest::process]` on the process's function; in other \
                 languages, append a custom section `{SECTION}` to the component"
            )
        });
        diagnostic
    }

    fn spawnable(&mut self, process: &ProcessEntry, name: &Spanned<String>) {
        let names = self.description.components.iter();
        let mut names = names.map(|entry| &**entry.name.get_ref());
        if names.clone().any(|known| known == name.get_ref()) {
            return;
        }
        let message = format!(
            "process `{}` may spawn `{}`, but [components] has no such name",
            process.name.get_ref(),
            name.get_ref()
        );
        let hint = did_you_mean(name.get_ref(), &mut names)
            .unwrap_or_else(|| format!("add it: `{} = \"folder\"`", name.get_ref()));
        self.error_with_hint(name.span(), message, hint);
    }

    /// The components in use, and the index of each by its name.
    fn components(&self) -> (Vec<PlannedComponent>, BTreeMap<String, usize>) {
        let mut components = Vec::new();
        let mut indices = BTreeMap::new();
        for file in &self.files {
            let Some(signature) = self.signatures.get(&file.name) else {
                continue;
            };
            if file.direct || self.is_used(&file.name) {
                indices.insert(file.name.clone(), components.len());
                let mut entries = self.description.components.iter();
                let entry = entries.find(|entry| *entry.name.get_ref() == file.name);
                components.push(PlannedComponent {
                    limits: entry.map_or_else(Limits::default, |entry| entry.limits),
                    name: file.name.clone(),
                    path: file.path.clone(),
                    signature: signature.clone(),
                });
            }
        }
        (components, indices)
    }

    /// The processes with every name resolved; without those whose component is unknown.
    fn processes(
        &self,
        arguments: Vec<Vec<u8>>,
        wiring: &Wiring,
        indices: &BTreeMap<String, usize>,
    ) -> Vec<PlannedProcess> {
        let index = |component: &Spanned<String>| indices.get(component.get_ref()).copied();
        let plan = |(process, arguments): (&ProcessEntry, Vec<u8>)| {
            let signature = self.signature(process)?;
            Some(PlannedProcess {
                name: process.name.get_ref().clone(),
                component: index(&process.component)?,
                arguments,
                limits: process.limits.or(self.description.limits),
                grants: process.grants.clone(),
                inputs: wiring.ports(process, signature, Direction::Input),
                outputs: wiring.ports(process, signature, Direction::Output),
                spawn: process.spawn.iter().filter_map(index).collect(),
                restart: self.restart(process),
                links: self.linked_with(process),
                dead_letters: wiring.letters.get(process.name.get_ref()).copied(),
                place: process.place.as_ref().map(|place| place.get_ref().clone()),
                instances: process.instances,
            })
        };
        let processes = self.description.processes.iter().zip(arguments);
        processes.filter_map(plan).collect()
    }
}
