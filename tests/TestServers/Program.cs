using Sagas.LocalServers;

// Runs a PostgreSQL and a RabbitMQ until it ends, and prints their addresses as the variables that tests read. test.sh starts
// it in parallel to the build, and all test projects share its servers; tests that kill servers start their own.
var starting = PrivatePostgres.StartAsync(durable: false);
await using var rabbitMq = await PrivateRabbitMq.StartAsync(management: true);
await using var postgres = await starting;
Console.WriteLine($"SAGAS_TEST_POSTGRES='{postgres.ConnectionString}'");
Console.WriteLine($"SAGAS_TEST_RABBITMQ='{rabbitMq.Uri}'");
Console.WriteLine($"SAGAS_TEST_RABBITMQ_MANAGEMENT='{rabbitMq.ManagementUri}'");

// Until its input ends, which is when the parent process ends in any way.
await Console.In.ReadToEndAsync();
