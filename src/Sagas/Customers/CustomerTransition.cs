namespace Sagas.Customers;

/// <summary>The result of an event.</summary>
/// <param name="Status">The status after it.</param>
/// <param name="Change">What it changes.</param>
/// <param name="CallsCrm">Whether the CRM is to be called with the current data.</param>
public readonly record struct CustomerTransition(CustomerStatus Status, CustomerChange Change, bool CallsCrm = false);
