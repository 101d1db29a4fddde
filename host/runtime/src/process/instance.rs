//! An instance of a component, made in one of two ways.

use wasmtime::Store;

use super::ProcessState;
use crate::bindings;
use crate::component::{Code, Component};
use crate::direct::{self, Ports};

/// The instance of a process.
pub(crate) enum Instance {
    /// Through wasmtime's component model.
    Whole(bindings::Guest),
    /// Of its core module alone.
    Direct(direct::Instance),
}

impl Instance {
    pub(crate) async fn new(
        component: &Component,
        store: &mut Store<ProcessState>,
    ) -> wasmtime::Result<Self> {
        Ok(match component.code() {
            Code::Whole(pre) => Self::Whole(pre.instantiate_async(store).await?),
            Code::Direct(direct) => Self::Direct(direct.instantiate(store).await?),
        })
    }

    /// Calls the guest's `run`.
    pub(crate) async fn run(
        &self,
        store: &mut Store<ProcessState>,
        ports: &Ports<'_>,
    ) -> wasmtime::Result<Result<(), String>> {
        match self {
            Self::Whole(guest) => {
                let Ports {
                    arguments,
                    inputs,
                    outputs,
                } = *ports;
                guest.call_run(store, arguments, inputs, outputs).await
            }
            Self::Direct(instance) => instance.run(store, ports).await,
        }
    }
}
