# NAME
terraform import scalr_eventbridge_api_destination.deployments deployments

# In another region than the provider's
terraform import scalr_eventbridge_api_destination.deployments deployments@eu-west-1

# By ARN
terraform import scalr_eventbridge_api_destination.deployments arn:aws:events:us-east-1:123456789012:api-destination/deployments/11111111-2222-3333-4444-555555555555
