# The Scalr account's id
terraform import scalr_audit_log_setting.account acc-v0o1abc2defg3hij4
