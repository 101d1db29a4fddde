//! Networks: their description, validation and wiring.

pub mod description;
pub mod plan;
pub mod validation;
