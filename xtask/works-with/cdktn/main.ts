import { App, TerraformOutput, TerraformStack } from "cdktn";
import { EventbridgeActivation } from "./.gen/providers/scalr/eventbridge-activation";
import { EventbridgeBus } from "./.gen/providers/scalr/eventbridge-bus";
import { EventbridgeConnection } from "./.gen/providers/scalr/eventbridge-connection";
import { EventbridgeRule } from "./.gen/providers/scalr/eventbridge-rule";
import { EventbridgeTarget } from "./.gen/providers/scalr/eventbridge-target";
import { ScalrProvider } from "./.gen/providers/scalr/provider";

const app = new App();
const stack = new TerraformStack(app, "prod");
new ScalrProvider(stack, "scalr");
const connection = new EventbridgeConnection(stack, "connection", {
  name: "prod",
  awsAccountId: "123456789012",
  region: "us-east-1",
});
const bus = new EventbridgeBus(stack, "bus", {
  eventSourceName: connection.eventSourceName,
  region: connection.region,
});
const rule = new EventbridgeRule(stack, "rule", {
  name: "runs",
  region: bus.region,
  eventBusName: bus.name,
  eventPattern: JSON.stringify({ "detail-type": ["RunExecuted"] }),
});
const target = new EventbridgeTarget(stack, "target", {
  rule: rule.name,
  region: bus.region,
  eventBusName: rule.eventBusName,
  logGroup: { name: "/scalr/runs", create: true, deleteOnDestroy: true },
});
const activation = new EventbridgeActivation(stack, "activation", {
  connectionId: connection.id,
  dependsOn: [target],
});
new TerraformOutput(stack, "status", { value: activation.status });
app.synth();
