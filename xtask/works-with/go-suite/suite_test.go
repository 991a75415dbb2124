// Package suite uses the provider as an acceptance test of a module or of another provider would.
package suite

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

const connection = `
resource "scalr_eventbridge_connection" "prod" {
  name           = "prod"
  aws_account_id = "123456789012"
  region         = "us-east-1"
}
`

const bus = `
resource "scalr_eventbridge_bus" "scalr" {
  event_source_name = scalr_eventbridge_connection.prod.event_source_name
}
`

var external = map[string]resource.ExternalProvider{
	"scalr": {Source: "scalr-eventbridge/scalr", VersionConstraint: "~> 0.1"},
}

func TestConnectionAndBus(t *testing.T) {
	resource.Test(t, resource.TestCase{
		ExternalProviders: external,
		Steps: []resource.TestStep{
			{
				Config: connection,
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(
						"scalr_eventbridge_connection.prod",
						tfjsonpath.New("event_source_name"),
						knownvalue.StringRegexp(regexp.MustCompile(`^aws\.partner/scalr\.com/.+/prod$`)),
					),
				},
			},
			{
				Config: connection + bus,
				ConfigPlanChecks: resource.ConfigPlanChecks{
					PreApply: []plancheck.PlanCheck{
						plancheck.ExpectResourceAction("scalr_eventbridge_connection.prod", plancheck.ResourceActionNoop),
						plancheck.ExpectResourceAction("scalr_eventbridge_bus.scalr", plancheck.ResourceActionCreate),
					},
					PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
				},
			},
			{
				ResourceName:      "scalr_eventbridge_connection.prod",
				ImportState:       true,
				ImportStateVerify: true,
				// The bus has made it active since.
				ImportStateVerifyIgnore: []string{"status"},
			},
		},
	})
}

func TestErrorOnAnAttribute(t *testing.T) {
	resource.Test(t, resource.TestCase{
		ExternalProviders: external,
		Steps: []resource.TestStep{
			{
				Config:      regexp.MustCompile(`us-east-1`).ReplaceAllString(connection, "us-east"),
				ExpectError: regexp.MustCompile(`must be an AWS region`),
			},
		},
	})
}
