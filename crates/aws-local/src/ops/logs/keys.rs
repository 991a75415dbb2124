//! The KMS key of a log group, which is stored and shown: there is no key service here.

use serde::Deserialize;
use serde_json::json;

use super::{group, identified, missing};
use crate::fault::Fault;
use crate::ops::{Answer, Call, Op, Operation};
use crate::state::log_group::LogGroup;

pub(super) const OPS: &[&dyn Operation] = &[
    &Op::write("AssociateKmsKey", associate),
    &Op::write("DisassociateKmsKey", |call, input| disassociate(call, &input)),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Associate {
    #[serde(flatten)]
    of: Of,
    kms_key_id: String,
}

/// What a key is for: a log group, by name or ARN, or the results of queries.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Of {
    log_group_name: Option<String>,
    resource_identifier: Option<String>,
}

/// In place of the key that the group has.
fn associate(call: &mut Call<'_>, input: Associate) -> Answer {
    find(call, &input.of)?.kms_key = Some(input.kms_key_id);
    Ok(json!({}))
}

fn disassociate(call: &mut Call<'_>, of: &Of) -> Answer {
    find(call, of)?.kms_key = None;
    Ok(json!({}))
}

fn find<'c>(call: &'c mut Call<'_>, of: &Of) -> Result<&'c mut LogGroup, Fault> {
    let name = match (&of.log_group_name, &of.resource_identifier) {
        (Some(name), None) => name.clone(),
        (None, Some(id)) if id.contains(":query-result:") => {
            return Err(Fault::parameter(
                "Keys of query results are not offered by the local AWS. Nothing was done.",
            ));
        }
        (None, Some(id)) => identified(call.caller, id).ok_or_else(missing)?.to_owned(),
        _ => {
            return Err(Fault::parameter(
                "Specify either the logGroupName parameter or the resourceIdentifier parameter, and not both.",
            ));
        }
    };
    group(call, &name)
}
