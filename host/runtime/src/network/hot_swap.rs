//! Replacing components while a network runs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use super::event::Event;
use super::running::Running;
use super::state::NetworkState;
use crate::component::Component;
use crate::host::lock;
use crate::process::Process;
use crate::supervision::{Replace, ReplaceError, exchange_component};

/// Components that have been replaced, by their names in the network, for those that are
/// spawned from now on.
#[derive(Default)]
pub(crate) struct Newer {
    any: AtomicBool,
    components: Mutex<BTreeMap<String, Component>>,
}

impl Newer {
    fn set(&self, name: &str, component: &Component) {
        lock(&self.components).insert(name.to_owned(), component.clone());
        self.any.store(true, Ordering::Release);
    }
}

impl NetworkState {
    /// The component that has this name now; `first` is the one that had it at the beginning.
    pub(crate) fn newest(&self, name: &str, first: &Component) -> Component {
        let newer = match self.newer.any.load(Ordering::Acquire) {
            true => lock(&self.newer.components).get(name).cloned(),
            false => None,
        };
        newer.unwrap_or_else(|| first.clone())
    }

    fn living_named(&self, name: &str) -> Option<Arc<Process>> {
        let mut living = self.living().into_iter();
        living.find(|process| *process.name == *name)
    }
}

impl Running {
    /// Replaces the component of a running process by another one with the same ports and arguments.
    /// Its channels stay as they are, with their contents: nothing is lost, duplicated or reordered.
    ///
    /// The process is replaced when it waits to receive at one of its ports and has finished
    /// what it received (see [`Unfinished`](crate::Unfinished) for when a message is finished):
    /// at once, if it is waiting there. It keeps its name and its number; its memory, channels
    /// that it opened, ends that it received and handles of its children are gone, and `run` is
    /// called anew with the same arguments. A process that is down, waiting for a restart,
    /// starts with the new component.
    ///
    /// Blocks until it is done. Must not be called by a listener of
    /// [`on_event`](super::Network::on_event), which runs on the threads that processes need.
    ///
    /// ```no_run
    /// use transputer::{Component, Replace, Running};
    ///
    /// # fn update(running: &Running, filter: &Component) -> Result<(), transputer::ReplaceError> {
    /// running.replace("filter", filter, Replace::default())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ReplaceError`]; then the process runs on as it was, unless it had ended.
    pub fn replace(
        &self,
        process: &str,
        component: &Component,
        options: Replace,
    ) -> Result<(), ReplaceError> {
        let found = self.state.living_named(process);
        let found = found.ok_or_else(|| ReplaceError::NoSuchProcess(process.to_owned()))?;
        self.start_replacing(found, component, options)
            .recv()
            .unwrap_or_else(|_| Err(ReplaceError::NoSuchProcess(process.to_owned())))
    }

    /// [Replaces](Self::replace) the component in every process of the network that runs the one of this
    /// name, in all of them at the same time. If it fits, processes that are spawned from it later run the
    /// new one, too. Returns the name of each process, and whether it was replaced.
    pub fn replace_component(
        &self,
        name: &str,
        component: &Component,
        options: Replace,
    ) -> Vec<(String, Result<(), ReplaceError>)> {
        let living = self.state.living().into_iter();
        let started: Vec<_> = living
            .filter(|process| process.component_name() == name)
            .map(|process| {
                let answer = self.start_replacing(process.clone(), component, options);
                (process.name.to_string(), answer)
            })
            .collect();
        let answers = started.into_iter().map(|(name, answer)| {
            let gone = || Err(ReplaceError::NoSuchProcess(name.clone()));
            let answer = answer.recv().unwrap_or_else(|_| gone());
            (name, answer)
        });
        let answers: Vec<_> = answers.collect();
        let misfit = |(_, answer): &(String, Result<(), ReplaceError>)| {
            matches!(
                answer,
                Err(ReplaceError::Misfit { .. } | ReplaceError::Instantiation { .. })
            )
        };
        if !answers.iter().any(misfit) {
            self.state.newer.set(name, component);
        }
        answers
    }

    fn start_replacing(
        &self,
        process: Arc<Process>,
        component: &Component,
        options: Replace,
    ) -> mpsc::Receiver<Result<(), ReplaceError>> {
        let (tell, answer) = mpsc::channel();
        let state = self.state.clone();
        let component = component.clone();
        self.state.host.scheduler().spawn_with(|task| async move {
            let event = Event::Replaced {
                process: process.name.to_string(),
                component: component.name().to_owned(),
            };
            let replaced =
                exchange_component(state.clone(), process, component, options, &task).await;
            if replaced.is_ok() {
                state.tell(event);
            }
            // Nobody listens any more if the program is ending.
            let _ = tell.send(replaced);
        });
        answer
    }
}
