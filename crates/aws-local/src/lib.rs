//! A local AWS: EventBridge (Classic) with partner event sources, the CloudWatch Logs, SQS and STS calls that belong
//! to it, over AWS's own wire forms, on one port.
//!
//! ```no_run
//! # async fn example() -> Result<(), aws_local::Error> {
//! let server = aws_local::Server::bind(aws_local::Config::default()).await?;
//! println!("http://{}", server.local_addr());
//! server.run(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await
//! # }
//! ```

mod arn;
mod caller;
mod change;
mod clock;
mod config;
#[cfg(fuzzing)]
pub mod decoders;
#[cfg(all(test, not(fuzzing)))]
mod decoders;
mod delivery;
mod engine;
mod fault;
mod firing;
mod http;
mod journal;
mod jsontext;
mod model;
mod ops;
mod page;
mod policy;
#[cfg(test)]
mod properties;
mod schedule;
mod server;
mod state;
mod turn;

pub use config::Config;
pub use journal::DataError;
pub use server::{Error, Server};
