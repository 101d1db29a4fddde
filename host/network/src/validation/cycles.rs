//! Wiring in which nothing can ever begin.
//!
//! Processes in a circle of rendezvous channels, into which nothing comes from outside, get going only
//! if one of them sends before it receives. A signature does not say whether one does, so this is only a
//! warning; and there is none if a process of the circle has an input or an argument of its own to begin
//! with.

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use crate::plan::Plan;

/// Groups of processes, by their indices in the plan, in each of which all wait for each other.
pub(super) fn closed(plan: &Plan) -> Vec<Vec<usize>> {
    let graph = meetings(plan);
    let groups = tarjan_scc(&graph).into_iter();
    let mut closed: Vec<Vec<usize>> = groups
        .filter(|group| is_circle(&graph, group) && !can_begin(plan, group))
        .map(|mut group| {
            group.sort_unstable();
            group
        })
        .collect();
    closed.sort_unstable();
    closed
}

/// Who sends to whom by a rendezvous.
fn meetings(plan: &Plan) -> DiGraphMap<usize, ()> {
    let mut graph = DiGraphMap::new();
    for (index, process) in plan.processes.iter().enumerate() {
        graph.add_node(index);
        for (_, channel) in &process.outputs {
            if plan.channels[*channel].capacity == 0 {
                for receiver in receivers(plan, *channel) {
                    graph.add_edge(index, receiver, ());
                }
            }
        }
    }
    graph
}

fn receivers(plan: &Plan, channel: usize) -> impl Iterator<Item = usize> + '_ {
    let processes = plan.processes.iter().enumerate();
    let receives = move |inputs: &[(String, usize)]| inputs.iter().any(|(_, at)| *at == channel);
    processes
        .filter(move |(_, process)| receives(&process.inputs))
        .map(|(index, _)| index)
}

fn is_circle(graph: &DiGraphMap<usize, ()>, group: &[usize]) -> bool {
    group.len() > 1 || graph.contains_edge(group[0], group[0])
}

/// Whether a process of the group has something to begin with.
fn can_begin(plan: &Plan, group: &[usize]) -> bool {
    group.iter().any(|&index| {
        let process = &plan.processes[index];
        let component = &plan.components[process.component];
        let fed_from_outside = process
            .inputs
            .iter()
            .any(|(_, channel)| is_fed_from_outside(plan, group, *channel));
        fed_from_outside || !component.signature.arguments.is_empty()
    })
}

fn is_fed_from_outside(plan: &Plan, group: &[usize], channel: usize) -> bool {
    let from_stdin = plan.channels[channel].from.is_empty();
    let mut senders = plan
        .processes
        .iter()
        .enumerate()
        .filter(|(_, process)| process.outputs.iter().any(|(_, at)| *at == channel));
    from_stdin || senders.any(|(index, _)| !group.contains(&index))
}
