using Sagas.LocalServers;

// Tests start this assembly as a process of its own, which holds private servers until it is killed: what happens to
// them then cannot be seen from inside.
await using var postgres = await PrivatePostgres.StartAsync();
await using var rabbitMq = await PrivateRabbitMq.StartAsync();
Console.WriteLine(postgres.ConnectionString);
Console.WriteLine(rabbitMq.Uri);
await Task.Delay(Timeout.Infinite);
