# NAME
terraform import scalr_eventbridge_custom_bus.scalr scalr

# In another region than the provider's
terraform import scalr_eventbridge_custom_bus.scalr scalr@eu-west-1

# By ARN
terraform import scalr_eventbridge_custom_bus.scalr arn:aws:events:us-east-1:123456789012:event-busv2/scalr/abcdefghij0123456789abcde
