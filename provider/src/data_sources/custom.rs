//! What the data sources of custom event buses do alike.

use std::future::Future;

use tfplugin::Result;

use crate::aws::tags::Tags;
use crate::aws::{Error, Regional};
use crate::failure::Cause as _;

/// What AWS shows of an object, with the object's tags; none where there is no such object. `doing`: as in "read the bus `b`".
pub(super) async fn with_tags<T>(
    aws: &Regional,
    doing: &str,
    found: impl Future<Output = std::result::Result<Option<T>, Error>>,
    arn_of: impl Fn(&T) -> Option<&str>,
) -> Result<Option<(T, Tags)>> {
    let Some(found) = found.await.map_err(|e| e.during(doing))? else {
        return Ok(None);
    };
    let tags = aws.custom_tags(arn_of(&found).unwrap_or_default()).await;
    Ok(Some((found, tags.map_err(|e| e.during(doing))?)))
}
