//! Spawning: checking the arguments, waiting for a permit, and waiting for the child to start.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use transputer_abi::{Answer, Begun};
use transputer_core::clock::Time;
use wasmtime::Result;

use super::{Kind, Operation};
use crate::error::SpawnFault;
use crate::host_calls::process::check_request;
use crate::network::permits::ProcessPermit;
use crate::patience::Patience;
use crate::process::{Process, ProcessState, SpawnRequest, Started, Wiring, spawn};

/// A child to be.
pub(super) struct Spawning {
    stage: Stage,
    patience: Patience<Time>,
}

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

enum Stage {
    /// Its arguments and ports are looked at.
    Checks(Later<Checked>),
    /// There is no permit for it yet.
    Asks {
        request: Box<SpawnRequest>,
        wiring: Wiring,
        permit: Later<Result<ProcessPermit, SpawnFault>>,
    },
    Starts {
        process: Arc<Process>,
        started: Started,
    },
    Over,
}

/// What was to be looked at, and what was found.
struct Checked {
    component: String,
    name: Option<String>,
    arguments: Vec<u8>,
    wiring: Wiring,
    checked: Result<(), SpawnFault>,
}

impl Spawning {
    /// Whether something else than a permit ends the wait.
    pub(super) fn is_live(&self) -> bool {
        !matches!(self.stage, Stage::Asks { .. }) || matches!(self.patience, Patience::Until(_))
    }
}

impl ProcessState {
    pub(super) fn begin_spawn(
        &mut self,
        component: String,
        name: Option<String>,
        arguments: Vec<u8>,
        wiring: Wiring,
        patience: Patience<Time>,
        waker: &Waker,
    ) -> Result<Begun<Operation>> {
        let process = self.process.clone();
        let mut pace = self.pace.clone();
        let checks = async move {
            let checked = check_request(&process, &component, &arguments, &wiring, &mut pace);
            let checked = checked.await;
            Checked {
                component,
                name,
                arguments,
                wiring,
                checked,
            }
        };
        let spawning = Spawning {
            stage: Stage::Checks(Box::pin(checks)),
            patience,
        };
        self.begin_kind(Kind::Spawn(Box::new(spawning)), waker)
    }

    pub(super) fn resume_spawn(
        &mut self,
        spawning: &mut Spawning,
        context: &mut Context<'_>,
    ) -> Result<Option<Answer>> {
        loop {
            let refused = match std::mem::replace(&mut spawning.stage, Stage::Over) {
                Stage::Checks(mut checks) => match checks.as_mut().poll(context) {
                    Poll::Pending => {
                        spawning.stage = Stage::Checks(checks);
                        return Ok(None);
                    }
                    Poll::Ready(checked) => self.ask(checked, spawning.patience),
                },
                Stage::Asks {
                    request,
                    wiring,
                    mut permit,
                } => match permit.as_mut().poll(context) {
                    Poll::Pending => {
                        spawning.stage = Stage::Asks {
                            request,
                            wiring,
                            permit,
                        };
                        return Ok(None);
                    }
                    Poll::Ready(Ok(permit)) => start(*request, wiring, permit),
                    Poll::Ready(Err(fault)) => Err((fault, wiring)),
                },
                Stage::Starts {
                    process,
                    mut started,
                } => match Pin::new(&mut started).poll(context) {
                    Poll::Pending => {
                        spawning.stage = Stage::Starts { process, started };
                        return Ok(None);
                    }
                    Poll::Ready(Ok(Err(refused))) => Err(refused),
                    // If there is no answer, the child was killed before it could run.
                    Poll::Ready(Ok(Ok(())) | Err(_)) => {
                        let child = self.hold_child(process)?;
                        return Ok(Some(Answer::Spawned(Ok(child))));
                    }
                },
                Stage::Over => wasmtime::bail!("a spawn was looked at after it was done"),
            };
            match refused {
                Ok(stage) => spawning.stage = stage,
                Err((fault, wiring)) => {
                    let refused = self.refuse(&fault, wiring);
                    return Ok(Some(Answer::Spawned(Err(refused))));
                }
            }
        }
    }

    /// Asks for a permit.
    fn ask(
        &mut self,
        checked: Checked,
        patience: Patience<Time>,
    ) -> Result<Stage, (SpawnFault, Wiring)> {
        let Checked {
            component,
            name,
            arguments,
            wiring,
            checked,
        } = checked;
        let request = checked.and_then(|()| self.request_checked(&component, name, arguments));
        let request = match request {
            Ok(request) => request,
            Err(fault) => return Err((fault, wiring)),
        };
        match self.network.try_acquire_for_child() {
            Ok(permit) => start(request, wiring, permit),
            Err(fault) if matches!(patience, Patience::Never) => Err((fault, wiring)),
            Err(_) => {
                let (network, parent) = (self.network.clone(), self.process.id);
                let permit = async move { network.acquire_for_child(parent, patience).await };
                Ok(Stage::Asks {
                    request: Box::new(request),
                    wiring,
                    permit: Box::pin(permit),
                })
            }
        }
    }

    /// Gives up: the ends come back, unless the child has begun to live, which then lives on.
    pub(super) fn cancel_spawn(&mut self, spawning: Spawning) -> Option<Answer> {
        match spawning.stage {
            Stage::Asks {
                wiring, request, ..
            } => {
                drop(request);
                let fault = SpawnFault::Capacity {
                    running: 0,
                    wanted: 1,
                    limit: "it was given up before any ended: nothing".to_owned(),
                };
                Some(Answer::Spawned(Err(self.refuse(&fault, wiring))))
            }
            Stage::Checks(_) | Stage::Starts { .. } | Stage::Over => None,
        }
    }
}

/// Starts the child.
fn start(
    mut request: SpawnRequest,
    wiring: Wiring,
    permit: ProcessPermit,
) -> Result<Stage, (SpawnFault, Wiring)> {
    request.permit = Some(permit);
    let (process, started) = spawn(request, wiring)?;
    Ok(Stage::Starts { process, started })
}
