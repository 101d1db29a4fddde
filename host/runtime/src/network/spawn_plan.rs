//! From the members of a wired network to processes, and to those who supervise them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::builder::Member;
use super::state::NetworkState;
use crate::engine::largest_memory;
use crate::error::Error;
use crate::process::{Settings, SpawnRequest, Wiring, checked_limits};
use crate::supervision::{ChildSlot, Recipe, Slot, SupervisedGroup};
use transputer_network::policies::{Group, Strategy};

/// A unit to be, with the permits of its members in the network.
struct Planned {
    group: Option<Group>,
    members: Vec<usize>,
}

/// Everybody in the order in which they are to be born. The units of the supervised are the
/// network's from now on.
pub(super) fn spawn_requests(
    state: &Arc<NetworkState>,
    members: Vec<Member>,
    groups: Vec<Group>,
) -> Result<Vec<(SpawnRequest, Wiring)>, Error> {
    let planned = plan(&members, groups);
    let mut recipes = Vec::with_capacity(members.len());
    for member in &members {
        recipes.push(recipe(state, member)?);
    }
    let mut members: Vec<_> = members.into_iter().map(Some).collect();
    let mut child_slots: BTreeMap<usize, ChildSlot> = BTreeMap::new();
    let mut units = Vec::with_capacity(planned.len());
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
            let recipe = recipes[index].clone();
            Some(Slot::new(recipe, member.restart, letters, links))
        };
        let slots: Vec<Slot> = own.iter().filter_map(slot).collect();
        let strategy = group
            .as_ref()
            .map_or(Strategy::OneForOne, |group| group.strategy);
        let unit = SupervisedGroup::new(group.map(|group| group.name), strategy, intensity, slots);
        for (place, index) in own.into_iter().enumerate() {
            child_slots.insert(index, unit.child_slot(place));
        }
        units.push(unit);
    }
    // A network is started once; nobody can have been here before.
    let _ = state.units.set(units);
    let births = members.iter_mut().zip(recipes).enumerate();
    Ok(births
        .filter_map(|(index, (member, recipe))| {
            let member = member.take()?;
            let request = SpawnRequest {
                network: state.clone(),
                component: recipe.component,
                name: member.name,
                component_name: recipe.component_name,
                settings: recipe.settings,
                arguments: recipe.arguments,
                parent: None,
                child_slot: child_slots.remove(&index),
                place: None,
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

/// Who is supervised with whom: groups, then everybody else by himself who can be restarted or
/// is linked.
fn plan(members: &[Member], groups: Vec<Group>) -> Vec<Planned> {
    let place = |name: &String| members.iter().position(|member| member.name == *name);
    let mut planned: Vec<Planned> = groups
        .into_iter()
        .map(|group| Planned {
            members: group.members.iter().filter_map(place).collect(),
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

fn recipe(state: &Arc<NetworkState>, member: &Member) -> Result<Recipe, Error> {
    let limits = checked_limits(member.limits, largest_memory(state.host.max_processes()))
        .map_err(|fault| Error::Wiring {
            network: state.name.clone(),
            message: format!("process `{}`: {fault}", member.name),
        })?;
    Ok(Recipe {
        component: member.component.clone(),
        component_name: member.component_name.as_str().into(),
        settings: Arc::new(Settings {
            limits,
            grants: member.grants.clone(),
            spawnable: member.spawnable.clone(),
        }),
        arguments: member.arguments.pack(),
    })
}
