//! What users read of the ephemeral resources.

use std::fmt::Display;

use scalr_api::{Host, OwnTokenId};
use tfplugin::{Diagnostic, Path};

use crate::failure::{Cause, Standing, explained};

pub(super) const DOING_CREATE: &str = "make an access token";

/// The state of things after a token was asked for in vain.
pub(super) fn made_or_not(minutes: i64) -> Standing {
    Standing::new(
        "No token was made.",
        format!(
            "Whether a token was made is not known. If one was, it ends by itself after {minutes} minutes."
        ),
    )
}

/// The server has no such call.
pub(super) fn makes_no_tokens(host: &Host) -> Diagnostic {
    Diagnostic::error("This server makes no access tokens").detail(format!(
        "`{host}` has no call that makes a token for the holder of another (`POST /access-tokens`). No token was made.\n\nScalr and \
         `scalr-eventbridge` have it from the version on that this provider is of: update the server, or give the token as a variable that is \
         `ephemeral` and `sensitive`."
    ))
}

/// A token came without its text.
pub(super) fn no_text(id: &OwnTokenId, revoked: bool) -> Diagnostic {
    let standing = if revoked {
        "It was revoked."
    } else {
        "It could not be revoked either: revoke it where Scalr lists your access tokens."
    };
    Diagnostic::error("Scalr made an access token and did not show it").detail(format!(
        "The answer that made the token `{id}` does not have its text, without which it is of no use. {standing}\n\nPlan again; if this \
         repeats, report it to those who run the server."
    ))
}

/// The server has not said that the token ends.
pub(super) fn does_not_end(id: &OwnTokenId, at: impl Into<Path>) -> Diagnostic {
    Diagnostic::error(format!("The token `{id}` does not end by itself"))
        .detail(
            "The server made a token without an end, whatever `expires_in` says. It is revoked when this run ends. If the run is killed, \
             it stays: revoke it then where Scalr lists your access tokens.",
        )
        .at(at)
}

/// The token could not be revoked.
pub(super) fn not_revoked(error: &impl Cause, id: &str, expires_at: Option<&str>) -> Diagnostic {
    let standing = match expires_at {
        Some(at) => format!("It ends by itself at {at}."),
        None => "It does not end by itself: revoke it where Scalr lists your access tokens.".to_owned(),
    };
    let warning = Diagnostic::error(format!("The token `{id}` was not revoked"));
    explained(warning, error, &Standing::new(standing.clone(), standing))
}

/// What closing is given is not what opening has kept.
pub(super) fn not_kept(error: &impl Display) -> Diagnostic {
    Diagnostic::error("The access token to revoke is not known").detail(format!(
        "What was kept when the token was made cannot be read: {error}. The token ends by itself after its `expires_in`. This is a bug of the \
         provider or of the tool that runs it: please report it."
    ))
}
