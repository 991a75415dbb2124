//! Ephemeral resource `scalr_access_token`: a token of Scalr's API that ends with the plan or the apply that needs it.

use std::collections::BTreeSet;

use scalr_api::{Object, OwnToken, OwnTokenId, OwnTokenInput};
use tfplugin::{Attrs, Ephemeral, Opened, Operation, Result};

use super::messages;
use crate::check;
use crate::client::Client;
use crate::failure::Cause as _;
use crate::scalr::Attributes;
use crate::scalr::companion::is_no_such_path;

/// Makes a token of Scalr's API when a plan or an apply begins to need it, and revokes it when that ends. It opens what the provider's own token opens. It is in no plan and no state: use it in the configuration of another provider, in write-only arguments, or in other ephemeral values.
///
/// The token ends by itself after `expires_in` minutes, which is not extended: set more than an apply takes. If the run is killed, that is what ends it.
///
/// Scalr makes such a token for the user of the provider's token (`POST /access-tokens`). From `scalr-eventbridge` the provider's token needs the scope `admin`, and the new token has no more scopes than it; each is in the audit log. Terraform has ephemeral resources from 1.10 on, OpenTofu from 1.11 on; `scalr-eventbridge tokens create --expires-in` makes a token without them.
#[derive(Attrs, Clone, Debug)]
pub struct AccessToken {
    /// What the token is for, as lists of tokens show it.
    #[tf(optional, default = "terraform", check = check::token_description)]
    description: String,
    /// Number of minutes after which the token ends by itself, from 1 to 1440 (a day).
    #[tf(optional, default = 60, check = check::token_minutes)]
    expires_in: i64,
    /// What it permits: `read`, `intake`, `admin`, none of them more than the provider's token. Default: the same. Scalr's own tokens have no scopes: leave it out there.
    #[tf(optional, check = check::token_scopes)]
    scopes: Option<BTreeSet<String>>,
    /// Id of the token.
    #[tf(computed)]
    id: Option<String>,
    /// The token.
    #[tf(computed, sensitive)]
    token: Option<String>,
    /// When it ends by itself, in RFC 3339.
    #[tf(computed)]
    expires_at: Option<String>,
}

/// Where the server's errors point, and the attribute behind it.
const ATTRIBUTES: Attributes = &[
    ("/data/attributes/scopes", || AccessToken::scopes().into()),
    ("/data/attributes/expires-in", || AccessToken::expires_in().into()),
    ("/data/attributes/name", || AccessToken::description().into()),
    ("/data/attributes/description", || {
        AccessToken::description().into()
    }),
];

impl Ephemeral for AccessToken {
    const NAME: &'static str = "access_token";
    type Client = Client;

    async fn open(config: Self, operation: &mut Operation<'_, Self>) -> Result<Opened<Self>> {
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        let made = match scalr.api.create_own_token(config.input()).await {
            Ok(made) => made,
            Err(error) if is_no_such_path(&error) => {
                return Err(messages::makes_no_tokens(scalr.api.host()).into());
            }
            Err(error) => {
                let standing = messages::made_or_not(config.expires_in);
                let failed = scalr.failed(error).attributes(ATTRIBUTES);
                return Err(failed.during_with(messages::DOING_CREATE, &standing));
            }
        };
        let wire = made.attributes.clone();
        if wire.token.as_deref().unwrap_or_default().is_empty() {
            let revoked = scalr.api.delete_own_token(&made.id).await.is_ok();
            return Err(messages::no_text(&made.id, revoked).into());
        }
        if wire.expires_at.is_none() {
            operation.warn(messages::does_not_end(&made.id, Self::expires_in()));
        }
        let kept = Kept::of(&made).text();
        let opened = Self {
            id: Some(made.id.to_string()),
            token: wire.token,
            expires_at: wire.expires_at,
            ..config
        };
        Ok(Opened::new(opened).keeping(kept))
    }

    /// A token that cannot be revoked now ends by itself: that is no reason to fail what has been applied.
    async fn close(kept: Vec<u8>, operation: &mut Operation<'_, Self>) -> Result<()> {
        let kept = Kept::read(&kept)?;
        let scalr = operation.client().scalr()?.stopping_with(operation.cancelled());
        let id = OwnTokenId::new(kept.id.as_str()).map_err(|error| messages::not_kept(&error))?;
        if let Err(error) = scalr.api.delete_own_token(&id).await {
            let failed = scalr.failed(error);
            operation.warn(messages::not_revoked(
                &failed,
                &kept.id,
                kept.expires_at.as_deref(),
            ));
        }
        Ok(())
    }
}

impl AccessToken {
    fn input(&self) -> OwnTokenInput {
        OwnTokenInput {
            name: None,
            description: Some(self.description.clone()),
            expires_in: Some(self.expires_in),
            scopes: self
                .scopes
                .as_ref()
                .map(|scopes| scopes.iter().cloned().collect()),
        }
    }
}

/// What closing needs: the token's id, and when it ends by itself.
struct Kept {
    id: String,
    expires_at: Option<String>,
}

impl Kept {
    fn of(made: &Object<OwnToken>) -> Self {
        Self {
            id: made.id.to_string(),
            expires_at: made.attributes.expires_at.clone(),
        }
    }

    fn text(&self) -> String {
        format!("{}\n{}", self.id, self.expires_at.as_deref().unwrap_or_default())
    }

    fn read(kept: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(kept).map_err(|error| messages::not_kept(&error))?;
        let (id, expires_at) = text.split_once('\n').unwrap_or((text, ""));
        Ok(Self {
            id: id.to_owned(),
            expires_at: Some(expires_at.to_owned()).filter(|at| !at.is_empty()),
        })
    }
}
