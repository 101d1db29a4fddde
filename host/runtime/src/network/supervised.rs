//! Supervision, in a network that is being wired.

use std::collections::BTreeSet;

use super::builder::{ChannelOptions, Network};
use super::member::ProcessSettings;
use crate::error::Error;
use crate::host_ports::HostReceiver;
use crate::message::Sender;
use crate::supervision::DeadLetterPort;
use transputer_network::policies::{Group, Restart, Unfinished};
use transputer_network::signature::{Direction, PayloadType};

impl ProcessSettings<'_> {
    /// Sets whether and how the process is restarted when it ends.
    ///
    /// ```no_run
    /// use transputer::{Component, Network, Restart};
    ///
    /// # fn wire(network: &mut Network, parser: &Component) {
    /// network.process("parser", parser).restart(Restart::on_failure());
    /// # }
    /// ```
    pub fn restart(&mut self, restart: Restart) -> &mut Self {
        self.member.restart = restart;
        self
    }
}

impl Network {
    /// Supervises processes together: when one of them is restarted, others of the group may be as well,
    /// depending on the strategy. Each has its own [`Restart`], but the group's intensity replaces theirs.
    ///
    /// ```no_run
    /// use transputer::{Component, Group, Network, Restart, Strategy};
    ///
    /// # fn wire(network: &mut Network, reader: &Component, writer: &Component) {
    /// network.process("reader", reader).restart(Restart::on_failure());
    /// network.process("writer", writer).restart(Restart::on_failure());
    /// network.group(Group::new("store", Strategy::OneForAll, ["reader", "writer"]));
    /// # }
    /// ```
    ///
    /// A member that does not exist, or is in another group already, is an error when the network
    /// is started.
    pub fn group(&mut self, group: Group) -> &mut Self {
        self.groups.push(group);
        self
    }

    /// Links two processes: when one has failed for good, the other is ended, with an outcome that names
    /// the first. A process that can be restarted has not failed for good until its supervisor gives up;
    /// it is restarted after a link has ended it.
    ///
    /// # Errors
    /// [`Error::Wiring`] if there is no process of one of the names.
    pub fn link(&mut self, one: &str, other: &str) -> Result<(), Error> {
        for (name, peer) in [(one, other), (other, one)] {
            let member = self.members.iter_mut().find(|member| member.name() == name);
            match member {
                Some(member) => member.links.push(peer.to_owned()),
                None => return Err(self.fault(format!("there is no process `{name}`"))),
            }
        }
        Ok(())
    }

    /// Sends the messages that these processes could not finish to a port, over a channel of its own:
    /// those that were tried often enough or, with [`Unfinished::DeadLetter`], all of them. Nobody waits
    /// for the process at that port: if the channel is full or closed, such a message is dropped, counted,
    /// and reported as an [`Event::Unfinished`](super::Event::Unfinished).
    ///
    /// # Errors
    /// [`Error::Wiring`] if the port does not exist, is an output or is wired already; if there
    /// is no such process; or if the port receives neither `list<u8>` nor what all input ports
    /// of these processes do.
    pub fn dead_letters(
        &mut self,
        processes: &[&str],
        port: &str,
        options: ChannelOptions,
    ) -> Result<(), Error> {
        let (_, payload) = self.free_port(port, Direction::Input)?;
        self.check_letters(processes, port, &payload)?;
        let (sender, receiver) = self.open(&format!("dead letters -> {port}"), options);
        self.plug_receiver(port, receiver);
        self.address_letters(processes, sender, &payload);
        Ok(())
    }

    /// Like [`dead_letters`](Self::dead_letters), to a host end, which receives them as they
    /// were sent: CBOR, unless the port was of type `list<u8>`.
    ///
    /// ```no_run
    /// use transputer::{ChannelOptions, Component, Error, Network, Restart};
    ///
    /// # fn wire(network: &mut Network, parser: &Component) -> Result<(), Error> {
    /// network.process("parser", parser).restart(Restart::on_failure().attempts(1));
    /// let letters = network.dead_letters_here(&["parser"], ChannelOptions::bounded(64))?;
    /// # drop(letters);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Wiring`] if there is no such process.
    pub fn dead_letters_here(
        &mut self,
        processes: &[&str],
        options: ChannelOptions,
    ) -> Result<HostReceiver, Error> {
        let payload = PayloadType::bytes();
        self.check_letters(processes, "the host", &payload)?;
        let (sender, receiver) = self.open("dead letters -> host", options);
        self.address_letters(processes, sender, &payload);
        Ok(HostReceiver::new(receiver, payload))
    }

    fn address_letters(&mut self, processes: &[&str], sender: Sender, payload: &PayloadType) {
        let letters = DeadLetterPort {
            sender,
            with_ends: payload.carries_ends(),
        };
        for member in &mut self.members {
            if processes.contains(&member.name()) {
                member.letters = Some(letters.clone());
            }
        }
    }

    fn check_letters(
        &self,
        processes: &[&str],
        port: &str,
        payload: &PayloadType,
    ) -> Result<(), Error> {
        for name in processes {
            let member = self.members.iter().find(|member| member.name() == *name);
            let Some(member) = member else {
                return Err(self.fault(format!("there is no process `{name}`")));
            };
            let ports = &member.spec.component.signature().ports;
            let mut inputs = ports
                .iter()
                .filter(|port| port.direction == Direction::Input);
            if let Some(input) = inputs.find(|input| input.ty != *payload && !payload.is_bytes()) {
                return Err(self.fault(format!(
                    "`{name}.{}` receives `{}`, so its dead letters cannot go to `{port}`, which \
                     receives `{payload}`; the same type or `list<u8>` can",
                    input.name, input.ty
                )));
            }
        }
        Ok(())
    }

    /// What is wrong with restarts and groups.
    pub(super) fn supervision_faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut seen = BTreeSet::new();
        for group in &self.groups {
            for name in &group.members {
                if !self.members.iter().any(|member| member.name() == name) {
                    faults.push(format!(
                        "group `{}`: there is no process `{name}`",
                        group.name
                    ));
                }
                if !seen.insert(name) {
                    faults.push(format!(
                        "process `{name}` is in two groups, or twice in one"
                    ));
                }
            }
        }
        for member in &self.members {
            let Restart {
                unfinished,
                attempts,
                ..
            } = member.restart;
            if unfinished == Unfinished::DeadLetter && member.letters.is_none() {
                faults.push(format!(
                    "process `{}` has no dead letters to send unfinished messages to",
                    member.name()
                ));
            }
            if attempts == 0 {
                faults.push(format!(
                    "process `{}`: a message is delivered at least once, so `attempts` cannot be 0",
                    member.name()
                ));
            }
        }
        faults
    }
}
