using Sagas.LocalServers;

// Holds a PostgreSQL and a RabbitMQ for as long as it runs, and says where they are in the variables that tests read.
// test.sh starts it beside the build, and all test projects share its servers.
// The tests that kill servers start their own.
var starting = PrivatePostgres.StartAsync(durable: false);
await using var rabbitMq = await PrivateRabbitMq.StartAsync(management: true);
await using var postgres = await starting;
Console.WriteLine($"SAGAS_TEST_POSTGRES='{postgres.ConnectionString}'");
Console.WriteLine($"SAGAS_TEST_RABBITMQ='{rabbitMq.Uri}'");
Console.WriteLine($"SAGAS_TEST_RABBITMQ_MANAGEMENT='{rabbitMq.ManagementUri}'");

// Until its input ends, which is when the parent process ends in any way.
await Console.In.ReadToEndAsync();
