namespace Sagas.Services.Modules;

/// <summary>An entry of the dashboard's navigation; a module registers one for each of its lists.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Path">Where it leads.</param>
/// <param name="Order">Its place.</param>
public sealed record NavigationEntry(string Name, string Path, int Order);
