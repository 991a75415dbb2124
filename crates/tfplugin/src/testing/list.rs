//! Lists under test.

use serde_json::{Value as Json, json};
use tonic::Request;
use tonic::codegen::BoxStream;

use super::{Harness, answer, convert};
use crate::cty::Type;
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::proto::tfplugin6 as pb;
use crate::proto::tfplugin6::list_resource::Event;
use crate::proto::tfplugin6::provider_server::Provider as _;
use crate::rpc::ResourceType;

/// What Terraform asks of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// How many results at most. Terraform's own default is 100.
    pub limit: usize,
    /// Whole objects beside their identities.
    pub objects: bool,
}

/// What a list gave.
#[derive(Debug)]
pub struct Listed {
    /// The objects.
    pub objects: Vec<ListedObject>,
    /// Warnings about them.
    pub warnings: Diagnostics,
}

/// One object of a list.
#[derive(Debug)]
pub struct ListedObject {
    /// What Terraform shows.
    pub display_name: String,
    /// Its identity.
    pub identity: Json,
    /// The whole of it; null where it was not asked for.
    pub object: Json,
}

/// A list under way, read as Terraform reads it: up to the limit.
pub struct ListStream<'a> {
    harness: &'a Harness,
    of: &'a ResourceType,
    stream: BoxStream<Event>,
    wanted: Wanted,
    read: usize,
    /// Warnings until now.
    pub warnings: Diagnostics,
}

impl Harness {
    /// Lists the objects of a resource, by its full name.
    pub async fn list(&self, name: &str, config: Json, wanted: Wanted) -> Result<Listed> {
        let mut stream = self.list_stream(name, config, wanted).await?;
        let mut objects = Vec::new();
        while let Some(object) = stream.next().await? {
            objects.push(object);
        }
        Ok(Listed {
            objects,
            warnings: stream.warnings,
        })
    }

    /// Begins to list the objects of a resource.
    pub async fn list_stream(&self, name: &str, config: Json, wanted: Wanted) -> Result<ListStream<'_>> {
        let list = self.service.catalog().list(name)?;
        let value = convert::config(&config, &list.object, &list.ty)?;
        let config = Some(convert::message(&value, &list.ty));
        let valid = self.service.validate_list_resource_config(Request::new(
            pb::validate_list_resource_config::Request {
                type_name: name.to_owned(),
                config: config.clone(),
                ..Default::default()
            },
        ));
        self.ok(answer(valid.await).diagnostics)?;
        let request = pb::list_resource::Request {
            type_name: name.to_owned(),
            config,
            include_resource_object: wanted.objects,
            limit: i64::try_from(wanted.limit).unwrap_or(i64::MAX),
        };
        Ok(ListStream {
            harness: self,
            of: self.service.catalog().resource(name)?,
            stream: answer(self.service.list_resource(Request::new(request)).await),
            wanted,
            read: 0,
            warnings: Diagnostics::new(),
        })
    }
}

impl ListStream<'_> {
    /// The next object; none at the limit, or where there are no more.
    pub async fn next(&mut self) -> Result<Option<ListedObject>> {
        while self.read < self.wanted.limit {
            let Some(event) = self.event().await else {
                return Ok(None);
            };
            let warnings = self.harness.ok(event.diagnostic)?;
            let is_bare = event.identity.is_none() && !warnings.is_empty();
            self.warnings.extend(warnings);
            if is_bare {
                continue;
            }
            let identity = event.identity.and_then(|identity| identity.identity_data);
            if identity.is_none() || event.resource_object.is_some() != self.wanted.objects {
                let odd = "The provider listed an object without its identity, or not as it was asked for";
                return Err(Diagnostic::error(odd).into());
            }
            self.read += 1;
            return Ok(Some(ListedObject {
                display_name: event.display_name,
                identity: shown(identity.as_ref(), &self.of.identity_ty),
                object: shown(event.resource_object.as_ref(), &self.of.ty),
            }));
        }
        Ok(None)
    }

    /// The next message; a broken stream would be a bug of this crate.
    async fn event(&mut self) -> Option<Event> {
        match std::future::poll_fn(|cx| self.stream.as_mut().poll_next(cx)).await? {
            Ok(event) => Some(event),
            Err(status) => panic!("the stream ended with {status}"),
        }
    }
}

fn shown(message: Option<&pb::DynamicValue>, ty: &Type) -> Json {
    message.map_or(json!(null), |message| {
        convert::show(&convert::value(Some(message), ty))
    })
}
