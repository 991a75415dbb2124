//! What a provider's author implements, and what the implementation is given.

pub(crate) mod action;
pub(crate) mod attempts;
pub(crate) mod config;
pub(crate) mod data_source;
pub(crate) mod ephemeral;
pub(crate) mod erased;
pub(crate) mod function;
pub(crate) mod generated;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod moves;
pub(crate) mod operation;
pub(crate) mod plan;
pub(crate) mod registry;
pub(crate) mod resource;
pub mod rules;
pub(crate) mod under_way;
