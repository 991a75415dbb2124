//! Vended-log deliveries, destinations and subscription filters: stored, described and refused.

use aws_local::Config;

use crate::client::{CUSTOMER, Local, REGION};

async fn check(script: &str) {
    let local = Local::start(Config::default()).await;
    let logs = format!("arn:aws:logs:{REGION}:{CUSTOMER}");
    let script = script
        .replace("HERE", &logs)
        .replace("BUS", &format!("arn:aws:events:{REGION}:{CUSTOMER}:event-bus"))
        .replace("ROLE", &format!("arn:aws:iam::{CUSTOMER}:role/r"))
        .replace("STREAM", &format!("arn:aws:kinesis:{REGION}:{CUSTOMER}:stream/s"))
        .replace("\n    A ", &format!("\n    {CUSTOMER} "));
    local.play(&script).await;
    local.stop().await;
}

/// Members, limits and errors as in AWS's reference (PutDeliverySource, PutDeliveryDestination, CreateDelivery).
#[tokio::test]
async fn deliveries() {
    check(
        r#"
    A logs.PutDeliverySource {"name":"s","resourceArn":"BUS/none","logType":"INFO_LOGS"} => ResourceNotFoundException
    A logs.PutDeliverySource {"name":"s","resourceArn":"bus","logType":"INFO_LOGS"} => ValidationException
    A logs.PutDeliverySource {"name":"s","resourceArn":"BUS/default","logType":"OTHER"} => ValidationException
    A logs.PutDeliverySource {"name":"s","resourceArn":"BUS/default","logType":"INFO_LOGS","tags":{"k":"v"}} => ok{"deliverySource":{"name":"s","arn":"HERE:delivery-source:s","resourceArns":["BUS/default"],"service":"events","logType":"INFO_LOGS","tags":{"k":"v"}}}
    A logs.PutDeliverySource {"name":"s","resourceArn":"BUS/default","logType":"INFO_LOGS"} => ok
    A logs.PutDeliverySource {"name":"s","resourceArn":"BUS/default","logType":"ERROR_LOGS"} => ConflictException
    A logs.PutDeliverySource {"name":"t","resourceArn":"BUS/default","logType":"INFO_LOGS"} => ConflictException
    A logs.GetDeliverySource {"name":"s"} => ok{"deliverySource":{"tags":{"k":"v"}}}
    A logs.GetDeliverySource {"name":"t"} => ResourceNotFoundException
    A logs.TagResource {"resourceArn":"HERE:delivery-source:s","tags":{"l":"w"}} => ok
    A logs.ListTagsForResource {"resourceArn":"HERE:delivery-source:s"} => ok{"tags":{"k":"v","l":"w"}}
    A logs.ListTagsForResource {"resourceArn":"HERE:delivery-source:t"} => ResourceNotFoundException
    A logs.DescribeDeliverySources {} => ok{"deliverySources":[{"name":"s"}]}
    A logs.PutDeliveryDestination {"name":"d","deliveryDestinationConfiguration":{"destinationResourceArn":"HERE:log-group:g"}} => ResourceNotFoundException
    A logs.CreateLogGroup {"logGroupName":"g"} => ok
    A logs.PutDeliveryDestination {"name":"d","outputFormat":"json","deliveryDestinationConfiguration":{"destinationResourceArn":"HERE:log-group:g"}} => ok{"deliveryDestination":{"name":"d","arn":"HERE:delivery-destination:d","deliveryDestinationType":"CWL","outputFormat":"json","deliveryDestinationConfiguration":{"destinationResourceArn":"HERE:log-group:g"}}}
    A logs.PutDeliveryDestination {"name":"d","deliveryDestinationConfiguration":{"destinationResourceArn":"arn:aws:s3:::bucket"}} => ConflictException
    A logs.PutDeliveryDestination {"name":"e","deliveryDestinationConfiguration":{"destinationResourceArn":"STREAM"}} => ValidationException
    A logs.PutDeliveryDestination {"name":"e","deliveryDestinationType":"S3","deliveryDestinationConfiguration":{"destinationResourceArn":"HERE:log-group:g"}} => ValidationException
    A logs.PutDeliveryDestination {"name":"e"} => ValidationException
    A logs.PutDeliveryDestination {"name":"x","outputFormat":"odd","deliveryDestinationType":"XRAY"} => ValidationException
    A logs.PutDeliveryDestination {"name":"x","deliveryDestinationType":"XRAY"} => ok{"deliveryDestination":{"deliveryDestinationType":"XRAY"}}
    A logs.GetDeliveryDestinationPolicy {"deliveryDestinationName":"d"} => ok{}
    A logs.PutDeliveryDestinationPolicy {"deliveryDestinationName":"d","deliveryDestinationPolicy":"{"} => ValidationException
    A logs.PutDeliveryDestinationPolicy {"deliveryDestinationName":"d","deliveryDestinationPolicy":"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"logs:CreateDelivery\",\"Resource\":\"*\"}}"} => ok
    A logs.DeleteDeliveryDestinationPolicy {"deliveryDestinationName":"d"} => ok
    A logs.CreateDelivery {"deliverySourceName":"none","deliveryDestinationArn":"HERE:delivery-destination:d"} => ResourceNotFoundException
    A logs.CreateDelivery {"deliverySourceName":"s","deliveryDestinationArn":"HERE:delivery-destination:none"} => ResourceNotFoundException
    A logs.CreateDelivery {"deliverySourceName":"s","deliveryDestinationArn":"HERE:log-group:g"} => ValidationException
    A logs.CreateDelivery {"deliverySourceName":"s","deliveryDestinationArn":"HERE:delivery-destination:d","s3DeliveryConfiguration":{"suffixPath":"x"}} => ValidationException
    A logs.CreateDelivery {"deliverySourceName":"s","deliveryDestinationArn":"HERE:delivery-destination:d","recordFields":["a"]} => ok{"delivery":{"deliverySourceName":"s","deliveryDestinationArn":"HERE:delivery-destination:d","deliveryDestinationType":"CWL","recordFields":["a"]}}
    A logs.CreateDelivery {"deliverySourceName":"s","deliveryDestinationArn":"HERE:delivery-destination:d"} => ConflictException
    A logs.DescribeDeliveries {} => ok{"deliveries":[{"deliverySourceName":"s"}]}
    A logs.GetDelivery {"id":"none"} => ResourceNotFoundException
    A logs.DeleteDelivery {"id":"none"} => ResourceNotFoundException
    A logs.DeleteDeliverySource {"name":"s"} => ConflictException
    A logs.DeleteDeliveryDestination {"name":"d"} => ConflictException
    A logs.DeleteDeliveryDestination {"name":"x"} => ok
    A logs.DescribeDeliveryDestinations {} => ok{"deliveryDestinations":[{"name":"d"}]}
    A logs.DeleteDeliveryDestination {"name":"x"} => ResourceNotFoundException
    "#,
    )
    .await;
}

/// The refusals are recorded of AWS: `localstack/localstack`, `tests/aws/services/logs/test_logs.snapshot.json`.
#[tokio::test]
async fn subscriptions() {
    check(
        r#"
    A logs.PutSubscriptionFilter {"logGroupName":"g","filterName":"f","filterPattern":"","destinationArn":"STREAM","roleArn":"ROLE"} => ResourceNotFoundException: The specified log group does not exist.
    A logs.CreateLogGroup {"logGroupName":"g"} => ok
    A logs.CreateLogGroup {"logGroupName":"rare","logGroupClass":"INFREQUENT_ACCESS"} => ok
    A logs.PutSubscriptionFilter {"logGroupName":"rare","filterName":"f","filterPattern":"","destinationArn":"STREAM","roleArn":"ROLE"} => InvalidOperationException
    A logs.PutSubscriptionFilter {"logGroupName":"g","filterName":"f","filterPattern":"{ $.","destinationArn":"STREAM","roleArn":"ROLE"} => InvalidParameterException
    A logs.PutSubscriptionFilter {"logGroupName":"g","filterName":"f","filterPattern":"","destinationArn":"STREAM"} => InvalidParameterException: destinationArn for vendor kinesis cannot be used without roleArn
    A logs.PutSubscriptionFilter {"logGroupName":"g","filterName":"f","filterPattern":"","destinationArn":"arn:aws:lambda:r:1:function:f","roleArn":"ROLE"} => InvalidParameterException: destinationArn for vendor lambda cannot be used with roleArn
    A logs.PutSubscriptionFilter {"logGroupName":"g","filterName":"f","filterPattern":"","destinationArn":"arn:aws:sqs:r:1:q"} => InvalidParameterException: PutSubscriptionFilter operation cannot work with destinationArn for vendor sqs
    A logs.PutSubscriptionFilter {"logGroupName":"g","filterName":"f","filterPattern":"run","destinationArn":"STREAM","roleArn":"ROLE"} => ok
    A logs.PutSubscriptionFilter {"logGroupName":"g","filterName":"f","filterPattern":"other","destinationArn":"STREAM","roleArn":"ROLE"} => ok
    A logs.PutSubscriptionFilter {"logGroupName":"g","filterName":"e","filterPattern":"","destinationArn":"HERE:destination:d"} => ResourceNotFoundException
    A logs.PutDestination {"destinationName":"d","targetArn":"arn:aws:sqs:r:1:q","roleArn":"ROLE"} => InvalidParameterException
    A logs.PutDestination {"destinationName":"d","targetArn":"STREAM","roleArn":"ROLE"} => ok{"destination":{"destinationName":"d","targetArn":"STREAM","roleArn":"ROLE","arn":"HERE:destination:d"}}
    A logs.PutDestinationPolicy {"destinationName":"d","accessPolicy":"{"} => InvalidParameterException
    A logs.PutDestinationPolicy {"destinationName":"d","accessPolicy":"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"logs:PutSubscriptionFilter\",\"Resource\":\"*\"}}"} => ok
    A logs.DescribeDestinations {"DestinationNamePrefix":"d"} => ok{"destinations":[{"destinationName":"d"}]}
    A logs.DescribeDestinations {"DestinationNamePrefix":"e"} => ok{"destinations":[]}
    A logs.PutSubscriptionFilter {"logGroupName":"g","filterName":"e","filterPattern":"","destinationArn":"HERE:destination:d"} => ok
    A logs.PutSubscriptionFilter {"logGroupName":"g","filterName":"x","filterPattern":"","destinationArn":"STREAM","roleArn":"ROLE"} => LimitExceededException: Resource limit exceeded.
    A logs.DescribeSubscriptionFilters {"logGroupName":"g"} => ok{"subscriptionFilters":[{"filterName":"e"},{"filterName":"f","filterPattern":"other","destinationArn":"STREAM","roleArn":"ROLE","distribution":"ByLogStream","logGroupName":"g"}]}
    A logs.DescribeSubscriptionFilters {"logGroupName":"g","filterNamePrefix":"f"} => ok{"subscriptionFilters":[{"filterName":"f"}]}
    A logs.DeleteSubscriptionFilter {"logGroupName":"g","filterName":"f"} => ok
    A logs.DeleteSubscriptionFilter {"logGroupName":"g","filterName":"f"} => ResourceNotFoundException: The specified subscription filter does not exist.
    A logs.DeleteDestination {"destinationName":"d"} => ok
    A logs.DeleteDestination {"destinationName":"d"} => ResourceNotFoundException
    "#,
    )
    .await;
}
