# The bus's name, which is its event source's
terraform import scalr_eventbridge_bus.scalr aws.partner/scalr.com/my-account/prod

# In another region than the provider's
terraform import scalr_eventbridge_bus.scalr aws.partner/scalr.com/my-account/prod@eu-west-1

# By ARN, the bus's or its event source's
terraform import scalr_eventbridge_bus.scalr arn:aws:events:us-east-1:123456789012:event-bus/aws.partner/scalr.com/my-account/prod
