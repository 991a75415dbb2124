import {
  to = scalr_audit_log_setting.account
  identity = {
    account_id = "acc-v0o1abc2defg3hij4"
  }
}
