//! What must survive a crash: the only place with SQL. One file a table family.
//!
//! Writes go through one connection and one [`Tx`] at a time, so that a transaction never meets another writer; reads
//! have connections of their own. The commit of a transaction wakes the tasks that have work from it.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! bounds durability error feed lent migrations source     leaves; what commits do to events, for watchers; a server's session while it is used;
//!                                                         a source's key at AWS
//! sql                                                     statements and rows of both databases
//! directory event row                                     the lock on a data directory, a new event, rows as values
//! server session sqlite                                   opening: where a PostgreSQL database is, the session that writes to it; SQLite
//! commits                                                 what commits did, counted
//! database                                                `Store` and `Tx`: opening, the one writer, wake-ups on commit
//! access account connection expiry removal run setting workspace   the tables behind the API
//! installation                                            the account of `dev`, its token and first workspace
//! drops purge waits                                       giving up events; those of deleted connections; waits that are too long
//! outbox                                                    events on their way in
//! settled                                                   deliveries that are over
//! confirm                                                   those that no look at their source has confirmed yet
//! doubts figures inspection intake lease retention settle totals   events: counted, known by their keys, on their way out, too old or too many
//! ```

mod access;
mod account;
mod bounds;
mod commits;
mod confirm;
mod connection;
mod database;
mod directory;
mod doubts;
mod drops;
mod durability;
mod error;
mod event;
mod expiry;
mod feed;
mod figures;
mod inspection;
mod installation;
mod intake;
mod lease;
mod lent;
mod migrations;
pub(crate) mod outbox;
mod purge;
mod removal;
mod retention;
mod row;
mod run;
mod server;
mod session;
mod setting;
mod settle;
mod settled;
mod source;
mod sql;
mod sqlite;
#[cfg(test)]
mod tests;
mod totals;
mod waits;
mod workspace;

pub(crate) use access::AccessToken;
pub(crate) use account::Account;
pub(crate) use bounds::Bounds;
pub(crate) use commits::Commits;
pub(crate) use connection::{Connection, NewConnection};
pub(crate) use database::{Deliverable, Place, Store, Tx};
pub(crate) use directory::{lock, lock_if_there};
pub(crate) use doubts::Doubts;
pub(crate) use durability::Durability;
pub(crate) use error::{Result, StoreError, WriteFault};
pub(crate) use event::NewEvent;
pub(crate) use feed::{Happening, What};
pub(crate) use figures::{DeliveryFigures, DroppedEvent, HeldEvent};
pub(crate) use inspection::{Inspection, ServerInspection, inspect, inspect_server};
pub(crate) use installation::Installation;
pub(crate) use intake::Accepted;
pub(crate) use lease::{Due, Entry, Leased};
pub(crate) use row::{Found, Window};
pub(crate) use run::{NewRun, Run};
pub(crate) use server::{Server, without_password};
pub(crate) use settle::{Ending, Settlement};
pub(crate) use settled::{Settled, Step, Which};
pub(crate) use source::SourceKey;
#[cfg(test)]
pub(crate) use tests::databases;
pub(crate) use totals::Totals;
pub(crate) use workspace::{Environment, FIRST_WORKSPACE, Workspace, WorkspaceScope};
