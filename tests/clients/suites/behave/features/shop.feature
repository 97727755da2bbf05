Feature: A shop

  @ExternalId=shop-open
  Scenario: The shop opens
    Given a basket
    When a shop is entered
    Then it is open

  @ExternalId=shop-refund
  Scenario: A refund fails
    Given a basket
    Then the money comes back

  @ExternalId=shop-close
  Scenario: The shop closes
    Given a basket
    Then it is open
