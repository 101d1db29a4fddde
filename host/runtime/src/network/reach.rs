//! What the directories granted in a network must not reach.

use transputer_network::validation::{Granted, HostFile, check_grants, overreaching};

use super::builder::Network;
use super::member::Member;
use crate::component::Component;
use crate::core_dumps::Dumper;
use crate::error::Error;
use crate::host::{Host, HostState};
use transputer_network::description::Description;
use transputer_network::diagnostics::Diagnostics;

impl HostState {
    /// The folders of compiled components, core dumps and profiles, and the files that these components are from.
    fn files<'a>(&self, components: impl Iterator<Item = &'a Component>) -> Vec<HostFile> {
        let cache = self.cache().folder();
        let cache = cache.map(|path| HostFile::new("the folder of compiled components", path));
        let dumps = self.dumper().map(Dumper::folder);
        let dumps = dumps.map(|path| HostFile::new("the folder of core dumps", path));
        let profiles = self.profiles().map(|profiles| profiles.folder());
        let profiles = profiles.map(|path| HostFile::new("the folder of profiles", path));
        let components = components.filter_map(Component::host_file);
        let folders = cache.into_iter().chain(dumps).chain(profiles);
        folders.chain(components).collect()
    }
}

impl Host {
    /// Refuses a description whose grants reach too far.
    pub(super) fn check_reach<'a>(
        &self,
        description: &Description,
        components: impl Iterator<Item = &'a Component>,
    ) -> Result<(), Diagnostics> {
        let diagnostics = check_grants(description, &self.0.files(components));
        match diagnostics.is_empty() {
            true => Ok(()),
            false => Err(diagnostics),
        }
    }
}

impl Network {
    /// Refuses grants that reach too far: for each other, or for the host's files.
    pub(crate) fn check_reach(&self, files: &[HostFile]) -> Result<(), Error> {
        let members = self.members.iter();
        let granted: Vec<_> = members.flat_map(Member::granted).collect();
        if granted.is_empty() {
            return Ok(());
        }
        let components = self.members.iter().flat_map(Member::components);
        let mut all = self.host.0.files(components);
        let journal = self.journal.iter();
        all.extend(journal.map(|journal| HostFile::new("the dead-letter file", journal.path())));
        all.extend(files.iter().cloned());
        let found = overreaching(&granted, &all);
        if found.is_empty() {
            return Ok(());
        }
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        Err(self.fault(found.join("; ")))
    }
}

impl Member {
    fn granted(&self) -> impl Iterator<Item = Granted<'_>> {
        let directories = self.spec.grants.directories.iter();
        directories.map(|directory| Granted::new(self.name(), directory))
    }

    /// What it runs, and what it may spawn.
    fn components(&self) -> impl Iterator<Item = &Component> {
        let spawnable = self.spawnable.values().map(|(component, _)| component);
        std::iter::once(&self.spec.component).chain(spawnable)
    }
}
