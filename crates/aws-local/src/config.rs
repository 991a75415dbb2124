//! What the local AWS is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::assumptions::Assumptions;

/// What the role of a delivery allows that was never created here: it may be one of a real account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownRoles {
    /// Everything.
    Allow,
    /// Nothing.
    Deny,
}

/// Why a request for a region is refused; what names one that AWS has passes. The list of AWS's regions belongs to who starts
/// the local AWS.
pub type RegionCheck = fn(&str) -> Result<(), String>;

/// Settings of one local AWS. All fields have defaults: `Config { region: …, ..Config::default() }`.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on; port 0 takes any free port. Only loopback unless `allow_remote`.
    pub listen: SocketAddr,
    /// Keep state here over restarts (durable over kill -9); in memory when absent.
    pub data_dir: Option<PathBuf>,
    /// The account of callers whose access key does not name one.
    pub account: String,
    /// The region of requests whose signature does not name one.
    pub region: String,
    /// Which regions a request may be signed for; by default, all.
    pub check_region: RegionCheck,
    /// Listen beyond loopback. Signatures are not checked, so anybody who reaches the port may do anything.
    pub allow_remote: bool,
    /// Hosts beyond loopback that API destinations and connections may call.
    pub allow_hosts: Vec<String>,
    /// What a role that was never created here allows.
    pub unknown_roles: UnknownRoles,
    /// What is assumed where AWS's documents say nothing.
    pub assumptions: Assumptions,
    /// Where invocations of targets that are not emulated are posted to: (target ARN, URL).
    pub targets: Vec<(String, String)>,
    /// Largest total entry size of one PutEvents or PutPartnerEvents call.
    pub max_put_bytes: usize,
    /// How many bytes all log events may take in memory, estimated; beyond that the oldest are dropped.
    pub log_bytes_max: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data_dir: None,
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            check_region: |_| Ok(()),
            allow_remote: false,
            allow_hosts: Vec::new(),
            unknown_roles: UnknownRoles::Allow,
            assumptions: Assumptions::default(),
            targets: Vec::new(),
            max_put_bytes: 1024 * 1024,
            log_bytes_max: 256 * 1024 * 1024,
        }
    }
}
