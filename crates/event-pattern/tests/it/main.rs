//! What the crate promises, as data.

mod agreement;
mod answers;
mod costs;
mod generate;
mod matcher;
mod pairs;
mod properties;
mod refusals;
mod subscriber;
