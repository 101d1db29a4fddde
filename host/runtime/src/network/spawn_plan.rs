//! From the members of a wired network to processes and their supervisors.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::member::Member;
use super::state::NetworkState;
use crate::error::Error;
use crate::process::{ProcessSpec, SpawnRequest, Wiring};
use crate::supervision::{ChildSlot, Slot, SupervisedGroup};
use transputer_network::policies::{Group, Strategy};

/// A group to be, or one process by itself, with the indices of its members.
struct Planned {
    group: Option<Group>,
    members: Vec<usize>,
}

/// A request for each process, in the order in which they are to start. Hands the groups of supervised
/// processes to the network.
pub(super) fn spawn_requests(
    state: &Arc<NetworkState>,
    members: Vec<Member>,
    groups: Vec<Group>,
) -> Result<Vec<(SpawnRequest, Wiring)>, Error> {
    let planned = plan(&members, groups);
    let specs: Result<Vec<ProcessSpec>, String> = members.iter().map(Member::spec).collect();
    let specs = specs.map_err(|message| Error::Wiring {
        network: state.name.clone(),
        message,
    })?;
    let mut members: Vec<_> = members.into_iter().map(Some).collect();
    let mut child_slots: BTreeMap<usize, ChildSlot> = BTreeMap::new();
    let mut supervised = Vec::with_capacity(planned.len());
    for Planned {
        group,
        members: own,
    } in planned
    {
        let alone = own.first().and_then(|&index| members[index].as_ref());
        let intensity = match &group {
            Some(group) => group.intensity,
            None => alone.map_or_else(Default::default, |member| member.restart.intensity),
        };
        let slot = |&index: &usize| {
            let member = members[index].as_mut()?;
            let letters = member.letters.take();
            let links = std::mem::take(&mut member.links);
            let tried = std::mem::take(&mut member.tried);
            let spec = specs[index].clone();
            Some(Slot::new(spec, member.restart, letters, links, tried))
        };
        let slots: Vec<Slot> = own.iter().filter_map(slot).collect();
        let strategy = group
            .as_ref()
            .map_or(Strategy::OneForOne, |group| group.strategy);
        let name = group.map(|group| group.name);
        let group = SupervisedGroup::new(name, strategy, intensity, slots);
        for (slot, index) in own.into_iter().enumerate() {
            child_slots.insert(index, group.child_slot(slot));
        }
        supervised.push(group);
    }
    // A network is started once; nobody can have been here before.
    let _ = state.groups.set(supervised);
    let requests = members.iter_mut().zip(specs).enumerate();
    Ok(requests
        .filter_map(|(index, (member, spec))| {
            let member = member.take()?;
            let request = SpawnRequest {
                network: state.clone(),
                spec,
                budget: None,
                parent: None,
                spawned_by: None,
                child_slot: child_slots.remove(&index),
                permit: None,
                replaces: None,
            };
            let wiring = Wiring {
                inputs: member.inputs.into_iter().collect(),
                outputs: member.outputs.into_iter().collect(),
            };
            Some((request, wiring))
        })
        .collect())
}

/// Which processes are supervised together: the groups, then each other process that can be restarted
/// or is linked, by itself.
fn plan(members: &[Member], groups: Vec<Group>) -> Vec<Planned> {
    let index = |name: &String| members.iter().position(|member| member.name() == name);
    let mut planned: Vec<Planned> = groups
        .into_iter()
        .map(|group| Planned {
            members: group.members.iter().filter_map(index).collect(),
            group: Some(group),
        })
        .collect();
    for (index, member) in members.iter().enumerate() {
        let grouped = planned
            .iter()
            .any(|planned| planned.members.contains(&index));
        let alone = member.restart.is_enabled() || !member.links.is_empty();
        if alone && !grouped {
            planned.push(Planned {
                group: None,
                members: vec![index],
            });
        }
    }
    planned
}
