namespace Sagas.Customers;

/// <summary>The part of a customer's row that its transitions depend on and change.</summary>
/// <param name="State">Name of the state of <see cref="CustomerStateMachine"/>.</param>
/// <param name="Version">Counts changes of the data, from 1.</param>
/// <param name="SyncedVersion">The newest version that the CRM is known to have; null: none.</param>
/// <param name="SyncFailure">Why the CRM rejected the current version.</param>
public readonly record struct CustomerStatus(string State, int Version, int? SyncedVersion, string? SyncFailure);
