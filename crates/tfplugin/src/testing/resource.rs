//! One managed resource under test.

use serde_json::{Value as Json, json};
use tonic::Request;

use super::{Harness, answer, convert};
use crate::cty::Val;
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::path::Path;
use crate::proto::tfplugin6 as pb;
use crate::proto::tfplugin6::provider_server::Provider as _;
use crate::rpc::{ResourceType, Service, wire};

/// A managed resource under test.
pub struct ResourceHarness<'a> {
    harness: &'a Harness,
    service: &'a Service,
    one: &'a ResourceType,
}

/// An object as Terraform's state holds it.
#[derive(Clone, Debug)]
pub struct State {
    value: Val,
    private: Vec<u8>,
    identity: Option<pb::ResourceIdentityData>,
}

impl State {
    /// The attributes.
    pub fn json(&self) -> Json {
        convert::show(&self.value)
    }

    /// Whether bytes are stored under this key that no user sees.
    pub fn has_private(&self, key: &str) -> bool {
        wire::private_from_bytes(&self.private).contains_key(key)
    }
}

/// An object in the state of another provider.
#[derive(Clone, Copy, Debug)]
pub struct MovedFrom<'a> {
    /// The provider's address, with the host of its registry.
    pub provider: &'a str,
    /// The type of resource.
    pub type_name: &'a str,
    /// The version of its schema.
    pub version: i64,
    /// Its attributes.
    pub state: &'a Json,
    /// Its identity, where the tool sends one.
    pub identity: Option<&'a Json>,
}

/// A plan.
#[derive(Clone, Debug)]
pub struct Planned {
    prior: Option<State>,
    config: Val,
    value: Val,
    private: Vec<u8>,
    identity: Option<pb::ResourceIdentityData>,
    replace: Vec<Path>,
    /// Warnings that came with the plan.
    pub warnings: Diagnostics,
}

impl Planned {
    /// The planned attributes; [`super::UNKNOWN`] is what is known after apply.
    pub fn json(&self) -> Json {
        convert::show(&self.value)
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.prior.as_ref().is_some_and(|prior| prior.value == self.value)
    }

    /// Which attributes have the object replaced.
    pub fn replaces(&self) -> Vec<String> {
        self.replace.iter().map(ToString::to_string).collect()
    }
}

/// What an apply left: perhaps an object, perhaps messages. Errors and a state together are what a failed create
/// leaves of an object that exists.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The object, if there is one.
    pub state: Option<State>,
    /// Errors and warnings.
    pub diags: Diagnostics,
}

impl<'a> ResourceHarness<'a> {
    pub(super) fn new(harness: &'a Harness, one: &'a ResourceType) -> Self {
        Self {
            harness,
            service: &harness.service,
            one,
        }
    }

    fn dynamic(&self, value: &Val) -> pb::DynamicValue {
        convert::message(value, &self.one.ty)
    }

    fn state(
        &self,
        value: Option<&pb::DynamicValue>,
        private: Vec<u8>,
        identity: Option<pb::ResourceIdentityData>,
    ) -> Option<State> {
        let value = convert::value(value, &self.one.ty);
        (!value.is_null()).then_some(State {
            value,
            private,
            identity,
        })
    }

    /// Validates a configuration.
    pub async fn validate(&self, config: Json) -> Result<Diagnostics> {
        let config = convert::config(&config, &self.one.object, &self.one.ty)?;
        let request = pb::validate_resource_config::Request {
            type_name: self.one.name.clone(),
            config: Some(self.dynamic(&config)),
            client_capabilities: Some(capabilities()),
        };
        self.harness
            .ok(answer(self.service.validate_resource_config(Request::new(request)).await).diagnostics)
    }

    /// Plans a create, or a change of an object.
    pub async fn plan(&self, prior: Option<&State>, config: Json) -> Result<Planned> {
        let mut warnings = self.validate(config.clone()).await?;
        let config = convert::config(&config, &self.one.object, &self.one.ty)?;
        let mut planned = self.plan_value(prior, config).await?;
        warnings.extend(std::mem::take(&mut planned.warnings));
        planned.warnings = warnings;
        Ok(planned)
    }

    /// Plans what Terraform makes of a plan that changes an object where the user asks for a replacement (`-replace`): a new
    /// object, planned with the private state of the old one.
    pub async fn plan_replacement(&self, prior: &State, config: Json) -> Result<Planned> {
        let kept = self.plan(Some(prior), config).await?;
        self.plan_with(None, kept.private, kept.config).await
    }

    /// Plans a change of an object under `lifecycle { ignore_changes }` of these attributes: Terraform puts their prior
    /// values into the configuration that it plans with.
    pub async fn plan_ignoring(&self, prior: &State, config: Json, ignored: &[Path]) -> Result<Planned> {
        self.validate(config.clone()).await?;
        let written = convert::config(&config, &self.one.object, &self.one.ty)?;
        let mut config = written.clone();
        for path in ignored {
            config.put(path.steps(), prior.value.at(path).clone());
        }
        let planned = self.plan_value(Some(prior), config).await?;
        // An apply has the configuration as it is written.
        Ok(Planned {
            config: written,
            ..planned
        })
    }

    /// Plans to remove an object.
    pub async fn plan_destroy(&self, state: &State) -> Result<Planned> {
        self.plan_value(Some(state), Val::Null).await
    }

    /// Plans the object that takes the place of one (`-replace`): with nothing of that but its private state. In the place of a tainted
    /// one Terraform plans without that as well: as [`Self::plan`] without a prior state.
    pub async fn plan_in_its_place(&self, replaced: &State, config: Json) -> Result<Planned> {
        self.validate(config.clone()).await?;
        let config = convert::config(&config, &self.one.object, &self.one.ty)?;
        self.service.walk_begins();
        self.plan_with(None, replaced.private.clone(), config).await
    }

    /// Plans once more what an apply is about to do, as Terraform does.
    pub async fn plan_within_apply(&self, prior: Option<&State>, config: Json) -> Result<Planned> {
        let config = convert::config(&config, &self.one.object, &self.one.ty)?;
        let private = prior.map(|prior| prior.private.clone()).unwrap_or_default();
        self.service.walk_begins();
        self.plan_as(prior, private, config, true).await
    }

    /// A plan of a walk of its own, whatever was applied here before.
    async fn plan_value(&self, prior: Option<&State>, config: Val) -> Result<Planned> {
        let private = prior.map(|prior| prior.private.clone()).unwrap_or_default();
        self.service.walk_begins();
        self.plan_with(prior, private, config).await
    }

    async fn plan_with(&self, prior: Option<&State>, private: Vec<u8>, config: Val) -> Result<Planned> {
        self.plan_as(prior, private, config, false).await
    }

    async fn plan_as(
        &self,
        prior: Option<&State>,
        private: Vec<u8>,
        config: Val,
        is_within_apply: bool,
    ) -> Result<Planned> {
        let request = pb::plan_resource_change::Request {
            type_name: self.one.name.clone(),
            prior_state: Some(self.dynamic(prior.map_or(&Val::Null, |prior| &prior.value))),
            proposed_new_state: Some(self.dynamic(&config)),
            config: Some(self.dynamic(&config)),
            prior_private: private,
            client_capabilities: Some(pb::ClientCapabilities {
                deferral_allowed: is_within_apply,
                ..capabilities()
            }),
            prior_identity: prior.and_then(|prior| prior.identity.clone()),
            ..Default::default()
        };
        let answered = answer(self.service.plan_resource_change(Request::new(request)).await);
        let warnings = self.harness.ok(answered.diagnostics)?;
        Ok(Planned {
            prior: prior.cloned(),
            config,
            value: convert::value(answered.planned_state.as_ref(), &self.one.ty),
            private: answered.planned_private,
            identity: answered.planned_identity,
            replace: answered.requires_replace.iter().map(convert::path).collect(),
            warnings,
        })
    }

    /// Applies a plan. One that replaces removes the object first, as Terraform does, and plans a new one.
    pub async fn apply(&self, planned: Planned) -> Applied {
        if planned.replace.is_empty() {
            return self.apply_once(planned).await;
        }
        if let Some(prior) = &planned.prior {
            let gone = match self.plan_destroy(prior).await {
                Ok(destroy) => self.apply_once(destroy).await,
                Err(diags) => {
                    return Applied {
                        state: planned.prior,
                        diags,
                    };
                }
            };
            if gone.diags.has_errors() {
                return gone;
            }
        }
        // Terraform plans the new object with the private state that was planned for the old one.
        match self.plan_with(None, planned.private, planned.config).await {
            Ok(create) => self.apply_once(create).await,
            Err(diags) => Applied { state: None, diags },
        }
    }

    async fn apply_once(&self, planned: Planned) -> Applied {
        let prior = planned.prior.as_ref();
        let request = pb::apply_resource_change::Request {
            type_name: self.one.name.clone(),
            prior_state: Some(self.dynamic(prior.map_or(&Val::Null, |prior| &prior.value))),
            planned_state: Some(self.dynamic(&planned.value)),
            config: Some(self.dynamic(&planned.config)),
            planned_private: planned.private,
            provider_meta: None,
            planned_identity: planned.identity.clone(),
        };
        let answered = answer(self.service.apply_resource_change(Request::new(request)).await);
        let mut diags = planned.warnings;
        diags.extend(self.harness.diagnostics(answered.diagnostics));
        if let Some(prior) = prior.filter(|_| !planned.value.is_null()) {
            self.same_identity(
                prior.identity.as_ref(),
                answered.new_identity.as_ref(),
                &mut diags,
            );
        }
        let state = self.state(
            answered.new_state.as_ref(),
            answered.private,
            answered.new_identity,
        );
        if planned.value.is_null() && state.is_some() && !diags.has_errors() {
            diags.push(Diagnostic::error(
                "The provider removed the object and kept its state",
            ));
        }
        Applied { state, diags }
    }

    /// Plans and applies a create.
    pub async fn create(&self, config: Json) -> Result<State> {
        let planned = self.plan(None, config).await?;
        self.applied(planned).await
    }

    /// Plans and applies a change.
    pub async fn update(&self, state: &State, config: Json) -> Result<State> {
        let planned = self.plan(Some(state), config).await?;
        self.applied(planned).await
    }

    /// Plans and applies the removal.
    pub async fn destroy(&self, state: &State) -> Result<()> {
        let planned = self.plan_destroy(state).await?;
        let Applied { diags, .. } = self.apply(planned).await;
        if diags.has_errors() { Err(diags) } else { Ok(()) }
    }

    async fn applied(&self, planned: Planned) -> Result<State> {
        match self.apply(planned).await {
            Applied {
                state: Some(state),
                diags,
            } if !diags.has_errors() => Ok(state),
            Applied { diags, .. } => Err(diags),
        }
    }

    /// Reads an object back; none if it is gone.
    pub async fn read(&self, state: &State) -> Result<Option<State>> {
        let request = pb::read_resource::Request {
            type_name: self.one.name.clone(),
            current_state: Some(self.dynamic(&state.value)),
            private: state.private.clone(),
            client_capabilities: Some(capabilities()),
            current_identity: state.identity.clone(),
            ..Default::default()
        };
        let answered = answer(self.service.read_resource(Request::new(request)).await);
        let mut diags = self.harness.ok(answered.diagnostics)?;
        let read = self.state(
            answered.new_state.as_ref(),
            answered.private,
            answered.new_identity,
        );
        if let Some(read) = &read {
            self.same_identity(state.identity.as_ref(), read.identity.as_ref(), &mut diags);
        }
        if diags.has_errors() { Err(diags) } else { Ok(read) }
    }

    /// Imports by id and reads what is there.
    pub async fn import(&self, id: &str) -> Result<State> {
        self.import_with(id, None).await
    }

    /// Imports by identity and reads what is there.
    pub async fn import_by_identity(&self, identity: Json) -> Result<State> {
        let value = convert::typed(&identity, &self.one.identity_ty)
            .map_err(|error| Diagnostic::error(error.to_string()))?;
        let identity_data = Some(convert::message(&value, &self.one.identity_ty));
        self.import_with("", Some(pb::ResourceIdentityData { identity_data }))
            .await
    }

    async fn import_with(&self, id: &str, identity: Option<pb::ResourceIdentityData>) -> Result<State> {
        let request = pb::import_resource_state::Request {
            type_name: self.one.name.clone(),
            id: id.to_owned(),
            client_capabilities: Some(capabilities()),
            identity,
        };
        let answered = answer(self.service.import_resource_state(Request::new(request)).await);
        self.harness.ok(answered.diagnostics)?;
        let imported = answered.imported_resources.into_iter().next();
        let state = imported.and_then(|one| self.state(one.state.as_ref(), one.private, one.identity));
        let state = state.ok_or_else(|| Diagnostic::error("The import gave nothing"))?;
        let read = self.read(&state).await?;
        read.ok_or_else(|| Diagnostic::error("Cannot import non-existent remote object").into())
    }

    /// The configuration that is generated for an object; what it leaves out is null.
    pub async fn generate(&self, state: &State) -> Result<Json> {
        let request = pb::generate_resource_config::Request {
            type_name: self.one.name.clone(),
            state: Some(self.dynamic(&state.value)),
        };
        let answered = answer(self.service.generate_resource_config(Request::new(request)).await);
        self.harness.ok(answered.diagnostics)?;
        Ok(convert::show(&convert::value(
            answered.config.as_ref(),
            &self.one.ty,
        )))
    }

    /// Upgrades a stored state of an older schema version.
    pub async fn upgrade(&self, version: i64, raw: &Json) -> Result<State> {
        let request = pb::upgrade_resource_state::Request {
            type_name: self.one.name.clone(),
            version,
            raw_state: Some(pb::RawState {
                json: raw.to_string().into_bytes(),
                ..Default::default()
            }),
        };
        let answered = answer(self.service.upgrade_resource_state(Request::new(request)).await);
        self.harness.ok(answered.diagnostics)?;
        let state = self.state(answered.upgraded_state.as_ref(), Vec::new(), None);
        state.ok_or_else(|| Diagnostic::error("The upgrade gave nothing").into())
    }

    /// Moves an object of another type here, from the state that its provider left.
    pub async fn move_from(&self, from: &MovedFrom<'_>) -> Result<State> {
        let raw = |json: &Json| pb::RawState {
            json: json.to_string().into_bytes(),
            ..Default::default()
        };
        let request = pb::move_resource_state::Request {
            source_provider_address: from.provider.to_owned(),
            source_type_name: from.type_name.to_owned(),
            source_schema_version: from.version,
            source_state: Some(raw(from.state)),
            target_type_name: self.one.name.clone(),
            source_private: Vec::new(),
            source_identity: from.identity.map(raw),
            source_identity_schema_version: 0,
        };
        let answered = answer(self.service.move_resource_state(Request::new(request)).await);
        self.harness.ok(answered.diagnostics)?;
        let state = self.state(
            answered.target_state.as_ref(),
            answered.target_private,
            answered.target_identity,
        );
        state.ok_or_else(|| Diagnostic::error("The move gave nothing").into())
    }

    /// Upgrades a stored identity of an older version of the schema, or of an object without one (null); null where nothing of it
    /// is kept.
    pub async fn upgrade_identity(&self, version: i64, raw: &Json) -> Result<Json> {
        let request = pb::upgrade_resource_identity::Request {
            type_name: self.one.name.clone(),
            version,
            raw_identity: (!raw.is_null()).then(|| pb::RawState {
                json: raw.to_string().into_bytes(),
                ..Default::default()
            }),
        };
        let answered = answer(
            self.service
                .upgrade_resource_identity(Request::new(request))
                .await,
        );
        self.harness.ok(answered.diagnostics)?;
        let data = answered
            .upgraded_identity
            .and_then(|identity| identity.identity_data);
        let data = data.ok_or_else(|| Diagnostic::error("The upgrade gave nothing"))?;
        Ok(convert::show(&convert::value(Some(&data), &self.one.identity_ty)))
    }

    /// Panics unless reading the object back and planning the same configuration both change nothing.
    pub async fn assert_stable(&self, state: &State, config: Json) {
        let read = match self.read(state).await {
            Ok(Some(read)) => read,
            Ok(None) => panic!("the object is gone"),
            Err(diags) => panic!("{diags}"),
        };
        assert_eq!(read.json(), state.json(), "reading the object back changes it");
        match self.plan(Some(&read), config).await {
            Ok(planned) => assert!(
                planned.is_empty(),
                "planning again changes it: {}",
                planned.json()
            ),
            Err(diags) => panic!("{diags}"),
        }
    }

    /// Terraform takes another identity for another object. What an import left out may be filled in.
    fn same_identity(
        &self,
        before: Option<&pb::ResourceIdentityData>,
        after: Option<&pb::ResourceIdentityData>,
        diags: &mut Diagnostics,
    ) {
        let (Some(before), Some(after)) = (before, after) else {
            return;
        };
        let [before, after] =
            [before, after].map(|one| convert::value(one.identity_data.as_ref(), &self.one.identity_ty));
        let differs = |name: &str| !before.get(name).is_null() && before.get(name) != after.get(name);
        if let Some((name, _)) = self.one.identity.iter().find(|(name, _)| differs(name)) {
            diags.push(Diagnostic::error("The identity of the object changed").at(Path::root(*name)));
        }
    }

    /// The identity of an object, if it has one.
    pub fn identity(&self, state: &State) -> Json {
        let data = state
            .identity
            .as_ref()
            .and_then(|identity| identity.identity_data.as_ref());
        if data.is_none() {
            json!(null)
        } else {
            convert::show(&convert::value(data, &self.one.identity_ty))
        }
    }
}

fn capabilities() -> pb::ClientCapabilities {
    pb::ClientCapabilities {
        deferral_allowed: false,
        write_only_attributes_allowed: true,
    }
}
