*** Settings ***
Library    testit_adapter_robotframework.TMSLibrary

*** Test Cases ***
The Shop Opens
    [Tags]    testit.externalId:shop-open
    Sleep    0.1s
    Add Message    welcome

A Refund Fails
    [Tags]    testit.externalId:shop-refund
    Fail    the shop keeps the money

The Shop Closes
    [Tags]    testit.externalId:shop-close
    Log    bye
